// The little that pages need beside HTMX. Without it everything still works by links and forms.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches?.("[data-submit-on-change]")) field.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A box that shows the passwords of its form, and buttons that copy a field: data-copy="its id".
document.documentElement.classList.add("scripted");
document.addEventListener("change", (event) => {
  if (!event.target.matches?.("[data-reveal]")) return;
  for (const field of event.target.form.querySelectorAll("input[autocomplete$=password]")) {
    field.type = event.target.checked ? "text" : "password";
  }
});
document.addEventListener("click", async (event) => {
  const name = event.target.closest?.("[data-copy]")?.dataset.copy;
  if (!name) return;
  const field = document.getElementById(name);
  field.select();
  const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
  document.getElementById(`${name}-copied`).textContent = copied ? "Copied." : "Selected: press Ctrl+C.";
});

// One-letter keys can be turned off, for whoever speaks to the machine (WCAG 2.1.4).
const hasKeys = () => localStorage.getItem("keys") !== "off";
const showKeys = () => {
  document.documentElement.classList.toggle("keyless", !hasKeys());
  for (const button of document.querySelectorAll("[data-keys]")) button.textContent = `Turn one-letter keys ${hasKeys() ? "off" : "on"}`;
};
showKeys();
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-keys]")) return;
  localStorage.setItem("keys", hasKeys() ? "off" : "on");
  showKeys();
});

// The menu closes by Escape, which keeps the place, and by a click elsewhere.
const closeMenus = (place) => {
  const open = document.querySelector(".menu[open]");
  if (!open) return false;
  open.open = false;
  if (open.contains(place)) open.firstElementChild.focus();
  return true;
};
document.addEventListener("click", (event) => event.target.closest(".menu") || closeMenus(event.target));

// On paper nothing can be unfolded.
window.addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("main details:not([open], :has(form))")) one.open = one.folds = true;
});
window.addEventListener("afterprint", () => {
  for (const one of document.querySelectorAll("main details[open]")) if (one.folds) one.open = one.folds = false;
});

// Keys that press buttons and follow links: data-key="a". Not while something is being typed; Escape leaves a field.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || (event.key.length === 1 && !hasKeys())) return;
  if (event.key === "Escape") return closeMenus(event.target) || event.target.blur();
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  if (event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]")) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key)}"]:not([disabled])`);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches("input:not([type=checkbox]):not([type=radio]), textarea, select")) wanted.focus();
  else wanted.click();
});

// data-ticks="name": one box for all boxes of that name.
document.addEventListener("change", (event) => {
  const name = event.target.dataset?.ticks;
  if (!name) return;
  for (const box of document.getElementsByName(name)) box.checked = event.target.checked;
});

// Times are sent in UTC and told in the reader's own zone, by its name; fields for times stay in UTC.
const zoned = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
});
const tellTimes = () => {
  for (const time of document.querySelectorAll("time:not([title])")) {
    time.title = time.textContent;
    time.textContent = zoned.format(new Date(time.dateTime));
  }
};
const tellField = (field) => {
  const told = document.getElementById(`${field.name}-own`);
  const own = field.value ? zoned.format(new Date(`${field.value}Z`)) : "";
  told.textContent = own && !own.endsWith("UTC") ? `That is ${own}.` : "";
};
tellTimes();
window.addEventListener("htmx:afterSettle", tellTimes);
for (const field of document.querySelectorAll("input[type=datetime-local]")) {
  tellField(field);
  field.addEventListener("input", () => tellField(field));
}

// A drop zone is a label around a file field.
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.(".drop");
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragover");
    const files = event.dataTransfer?.files;
    if (kind === "drop" && files?.length) {
      const field = zone.querySelector("input[type=file]");
      field.files = files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}

// What is wider or higher than its place can be scrolled by keyboard, too.
const letScroll = () => {
  for (const box of document.querySelectorAll(".scroll")) {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
letScroll();
for (const moment of ["resize", "toggle", "htmx:afterSettle"]) window.addEventListener(moment, letScroll, true);
