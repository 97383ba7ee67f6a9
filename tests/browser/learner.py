"""A learner without a mouse: opens a lesson in JupyterLab, runs, types, moves sliders; every step is a key."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IDLE = "/Python 3 \\(ipykernel\\) \\| Idle/"  # the status bar; the circle in the tool bar says idle too early
ACTIVE = "document.querySelector('.jp-Notebook .jp-Cell.jp-mod-active')"
FOCUS = """() => {
    const one = document.activeElement, cell = one.closest('.jp-Cell');
    const role = one.getAttribute('role') || {INPUT: one.type === 'number' ? 'spinbutton' : 'textbox',
        A: 'link', SUMMARY: 'summary', BUTTON: 'button', 'JP-BUTTON': 'button'}[one.tagName] || one.tagName;
    const name = one.getAttribute('aria-label') || (one.labels && one.labels.length && one.labels[0].textContent)
        || one.textContent;
    return {role, name: name.trim(), cell: cell ? Number(cell.dataset.windowedListIndex) : -1};
}"""
COUNT_POINTERS = "window.pointers = 0; addEventListener('pointerdown', () => window.pointers++, true)"
LOOPBACK = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:|about:")


@dataclass
class Learner:
    """A page of a browser with a lesson in it, and what the browser complained of or asked for on the way."""

    page: Any
    path: Path
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)  # of the cells, by id

    def __post_init__(self) -> None:
        self.order = [*self.saved()]
        self.page.set_default_timeout(60_000)
        self.page.add_init_script(COUNT_POINTERS)
        self.page.context.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda socket: self.asked.append(socket.url))
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def used_a_mouse(self) -> bool:
        """Did anything but the keyboard touch the page since it was loaded?"""
        return bool(self.page.evaluate("window.pointers") > 0)

    def left_the_machine(self) -> list[str]:
        """The addresses that were asked for and are not on this machine."""
        return [address for address in self.asked if not LOOPBACK.match(address)]

    def open(self, address: str) -> None:
        """Open the address that `orderlab lab` printed, and wait until the kernel is there."""
        self.page.goto(address)
        self.wait_until_idle()
        self.page.wait_for_function(f"{ACTIVE}?.contains(document.activeElement)")

    def wait_until_idle(self) -> None:
        """Wait until the kernel has done all that it was asked."""
        self.page.locator(f"text={IDLE}").first.wait_for()

    def saved(self) -> dict[str, Any]:
        """The lesson's file, by the ids of its cells, in their order."""
        notebook = json.loads(self.path.read_text(encoding="utf-8"))
        return {cell["id"]: {**cell, "source": "".join(cell["source"])} for cell in notebook["cells"]}

    def save(self) -> dict[str, Any]:
        """Save with the keyboard, and return what is in the file then."""
        before = self.path.stat().st_mtime_ns
        self.press("Control+s")
        self.page.locator(".jp-mod-dirty.lm-mod-current").wait_for(state="detached")
        assert self.path.stat().st_mtime_ns > before
        return self.saved()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def focus(self) -> Any:
        """What has the keyboard: its role, its name, and the number of its cell or -1."""
        return self.page.evaluate(FOCUS)

    def number(self, id: str) -> int:
        """Which cell of the lesson it is, from 0."""
        return self.order.index(id)

    def cell(self, id: str) -> Any:
        """The cell on the page, which is there once it has been gone to."""
        return self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{self.number(id)}']")

    def go_to(self, id: str) -> None:
        """Select a cell with the arrow keys; out of an editor leads Escape, out of an output Shift+Tab."""
        wanted = self.number(id)
        self.press("Escape")
        for _ in range(40):
            if self.page.evaluate(f"document.activeElement === {ACTIVE}"):
                break
            self.press("Shift+Tab")
        else:
            raise AssertionError(f"from {self.focus()} nothing leads back to the cells")
        here = int(self.page.evaluate(f"{ACTIVE}.dataset.windowedListIndex"))
        self.press(*(["ArrowDown"] * (wanted - here) or ["ArrowUp"] * (here - wanted)))
        self.page.wait_for_function(f"{ACTIVE}.dataset.windowedListIndex === '{wanted}'")

    def run(self, id: str) -> Any:
        """Run a code cell, wait until it is done, and return it; it stays the selected one."""
        self.go_to(id)
        before = self.prompt(id).text_content()
        self.press("Control+Enter")
        self.wait_until_run(id, before)
        return self.cell(id)

    def run_all(self) -> None:
        """Run one cell after the other, as a reader does, and wait for the last code cell."""
        cells = self.saved()
        last = [id for id, cell in cells.items() if cell["cell_type"] == "code"][-1]
        before = self.prompt(last).text_content()
        self.go_to(next(iter(cells)))
        self.press(*["Shift+Enter"] * (len(cells) - 1))
        self.wait_until_run(last, before)

    def restart_and_run_all(self) -> None:
        """Choose that from the list of commands, agree, and wait for the last code cell."""
        last = [id for id, cell in self.saved().items() if cell["cell_type"] == "code"][-1]
        self.choose("Restart Kernel and Run All Cells")
        self.page.locator(".jp-Dialog button.jp-mod-accept").wait_for()
        self.press("Enter")
        waits = "prompt => prompt.textContent.includes('*')"
        self.page.wait_for_function(waits, arg=self.prompt(last).element_handle())
        self.wait_until_run(last, "[*]:")
        self.page.wait_for_function(f"{ACTIVE}?.contains(document.activeElement)")

    def prompt(self, id: str) -> Any:
        """What stands before a code cell: [ ]: when it was not run, [*]: when it waits or runs, then its number."""
        return self.cell(id).locator(".jp-InputPrompt")

    def wait_until_run(self, id: str, before: str) -> None:
        """Wait until a cell has another number than `before`. Raises AssertionError when some cell fails instead."""
        done = """([prompt, before]) => /[0-9]/.test(prompt.textContent) && prompt.textContent !== before
            || document.querySelector('[data-mime-type="application/vnd.jupyter.stderr"]') !== null"""
        self.page.wait_for_function(done, arg=[self.prompt(id).element_handle(), before])
        failed = self.page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
        assert failed.count() == 0, failed.first.text_content()

    def write(self, id: str, source: str) -> None:
        """Put other code into a cell, letter by letter; the editor's own indentation is written over."""
        self.go_to(id)
        self.press("Enter", "Control+a", "Delete")
        for number, line in enumerate(source.split("\n")):
            if number:
                self.press("Enter", "Shift+Home", "Delete")
            self.page.keyboard.type(line)
        self.press("Escape")

    def tab_to(self, role: str, name: str = "") -> Any:
        """Press Tab until something of this role, whose name holds `name`, has the keyboard; return what has it."""
        begin = self.focus()
        for _ in range(40):
            self.press("Tab")
            found = self.focus()
            if found["role"] == role and name in found["name"]:
                return found
        raise AssertionError(f"from {begin} no Tab leads to a {role} {name}")

    def choose(self, command: str) -> None:
        """Open JupyterLab's list of commands, type the beginning of one, and take it."""
        self.press("Escape", "Control+Shift+c")
        self.page.locator(".lm-CommandPalette-input").wait_for()
        self.page.keyboard.type(command)
        self.page.locator(".lm-CommandPalette-item.lm-mod-active", has_text=command).wait_for()
        self.press("Enter")

    def wear(self, theme: str) -> None:
        """Change JupyterLab's theme."""
        self.choose(f"Use Theme: JupyterLab {theme}")
        self.page.wait_for_function(f"document.body.dataset.jpThemeName === 'JupyterLab {theme}'")
