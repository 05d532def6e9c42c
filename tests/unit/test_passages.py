"""What two notebooks have in common."""

from __future__ import annotations

from grader.domain.passages import Kind, compare, cut, find_spans, sketch, usual_above

LOOP = "for epoch in range(epochs):\n    loss = step(batch)  # one step\n    losses.append(loss.item())"


def test_comments_and_layout_are_no_part_of_code() -> None:
    other = "for epoch in range( epochs ) :\n\n\n  loss=step(batch)\n  losses.append( loss.item() ) # mine"
    assert cut(Kind.CODE, [LOOP]) == cut(Kind.CODE, [other])
    assert cut(Kind.CODE, [LOOP]) != cut(Kind.CODE, [LOOP.replace("loss", "error")])


def test_words_count_whatever_their_case() -> None:
    assert cut(Kind.TEXT, ["The code is narrow."]) == {"the code is narrow"}
    assert cut(Kind.TEXT, ["too few words"]) == set()


def test_shared_passages_are_found_where_they_stand() -> None:
    text = "I think THE code is narrow, so it must choose."
    spans = find_spans(Kind.TEXT, text, {"the code is narrow", "code is narrow so", "it must choose what"})
    assert [text[start:end] for start, end in spans] == ["THE code is narrow, so"]
    assert find_spans(Kind.CODE, "x = 1 # a, b, c, d, e", cut(Kind.CODE, ["a, b, c, d, e"])) == []


def test_a_sketch_is_the_same_every_time_and_another_one_elsewhere() -> None:
    passages = {f"passage {number}" for number in range(500)}
    assert sketch(passages, "here") == sketch(sorted(passages), "here")
    assert sketch(passages, "here").isdisjoint(sketch(passages, "there"))
    assert all(0 <= hash_ < 1 << 63 for hash_ in sketch(passages, "here"))


def test_only_what_is_rare_counts() -> None:
    usual, mine, yours = set(range(40)), set(range(100, 110)), set(range(200, 210))
    assert compare(usual | mine, usual | yours, mine | yours).share == 0
    assert compare(usual | mine, usual | mine, mine).share == 1
    assert compare(usual, usual, set()).passages == 0


def test_in_a_small_class_two_are_rare_and_in_a_large_one_eight() -> None:
    assert [usual_above(students) for students in (2, 30, 80, 10_000)] == [2, 3, 8, 8]
