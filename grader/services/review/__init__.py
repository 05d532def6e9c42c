"""Review: humans decide what the machine proposes, one answer or one group of them at a time."""

from .access import Desk
from .anonymity import Revealed, reveal
from .asking import answer_request, ask_regrade, list_requests
from .commenting import add_comment, delete_comment, list_comments
from .deciding import Decided, accept, decide, undo
from .decision import Decision
from .grouping import Grouped, Outcome, decide_group
from .queue import Listed, Page, count_queue, list_queue
from .reading import AnswerView, read_answer
from .taking import release, take, take_next

__all__ = [
    "AnswerView", "Decided", "Decision", "Desk", "Grouped", "Listed", "Outcome", "Page", "Revealed", "accept",
    "add_comment", "answer_request", "ask_regrade", "count_queue", "decide", "decide_group", "delete_comment",
    "list_comments", "list_queue", "list_requests", "read_answer", "release", "reveal", "take", "take_next",
    "undo",
]  # fmt: skip
