"""The sentences of the simulated model, in the languages it knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Phrases:
    """How the model speaks one language. `{q}` stands for the question; a seed chooses between variants."""

    header: str
    plan: str
    openings: Sequence[str]
    lists: Sequence[str]
    codes: Sequence[str]
    table: str
    closings: Sequence[str]

    def summary(self, question: str) -> str:
        """What it thinks before it answers."""
        return self.plan.replace("{q}", question)

    def opening(self, question: str, seed: int) -> str:
        """A heading and the question in a quote."""
        return _pick(self.openings, seed).replace("{q}", question)

    def body(self, question: str, seed: int) -> str:
        """A list, a code block, for every second seed or when asked for a table one of these, and a last sentence."""
        table = self.table if seed % 2 or "table" in question.lower() or "表" in question else ""
        parts = _pick(self.lists, seed // 3), _pick(self.codes, seed // 5), table, _pick(self.closings, seed // 7)
        return "\n\n" + "\n\n".join(part for part in parts if part)


def is_chinese(text: str) -> bool:
    """Whether the text has a Chinese character."""
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def _pick(variants: Sequence[str], number: int) -> str:
    return variants[number % len(variants)]


ENGLISH: Final = Phrases(
    header="Thinking about your request",
    plan="- The question is: {q}\n- A heading, a list and an example should make it clear.\n",
    openings=(
        "## A short answer\n\n> {q}\n\nThis reply comes from the **sandbox**, a simulated Grok on your own machine. "
        "It understood the question and knows *nothing*, but it says so in good Markdown.",
        "## Let's take it step by step\n\n> {q}\n\nGood question! I'm the **sandbox**, so the words are made up, "
        "while everything around them is *real*: HTTP, frames, pacing and tokens.",
        "## Here is what I found\n\n> {q}\n\nNo request left this machine: the **sandbox** answers in Grok's place. "
        "The same question always gets the *same* answer.",
    ),
    lists=(
        "### What matters\n\n1. **Begin small.** One working example beats three plans.\n"
        "2. **Measure.** What you didn't measure, you don't know.\n3. **Keep it simple.** Then it stays fast.",
        "### Points to consider\n\n- It depends on *your* case, as always.\n- The first `80 %` are usually easy.\n"
        "- Read the [documentation](https://example.com/docs) before you decide.",
        "### In brief\n\n- [x] Understood the question\n- [x] Wrote an answer\n- [ ] Knew what I was talking about",
    ),
    codes=(
        '```python\ndef greet(name: str) -> str:\n    """Say hello."""\n    return f"Hello, {name}!"\n\n\n'
        'print(greet("world"))\n```',
        "```bash\n# count the lines of every Python file\nfind . -name '*.py' -print0 | xargs -0 wc -l | sort -n\n```",
        "```sql\nSELECT pool, count(*) AS accounts\nFROM account\nWHERE quota > 0\nGROUP BY pool;\n```",
    ),
    table="| Choice | Speed | Effort |\n| :-- | --: | --: |\n| Simple | 1.0 × | low |\n| Clever | 1.3 × | high |",
    closings=(
        "Would you like me to go deeper into one of these points?",
        "That's the gist of it. Ask me anything else, I have *plenty* of made-up words left.",
        "Hope this helps! 🙂",
    ),
)

CHINESE: Final = Phrases(
    header="正在思考你的问题",
    plan="- 问题是：{q}\n- 用标题、列表和示例来回答会比较清楚。\n",
    openings=(
        "## 简短的回答\n\n> {q}\n\n这是**沙盒**的回复：它在你自己的电脑上模拟 Grok，没有任何请求离开这台机器。",
        "## 我们一步一步来\n\n> {q}\n\n好问题！我是**沙盒**，内容是编的，但协议、节奏和格式都是*真实*的。",
    ),
    lists=(
        "### 要点\n\n1. **从小处开始。** 一个能运行的例子胜过三个计划。\n2. **先测量，再优化。**\n3. **保持简单。**",
        "### 需要考虑的几点\n\n- 具体情况具体分析。\n- 前 `80 %` 通常很容易。\n- 先读[文档](https://example.com/docs)再做决定。",
    ),
    codes=('```python\ndef greet(name: str) -> str:\n    return f"你好，{name}！"\n\n\nprint(greet("世界"))\n```',),
    table="| 方案 | 速度 | 难度 |\n| :-- | --: | --: |\n| 简单 | 1.0 × | 低 |\n| 巧妙 | 1.3 × | 高 |",
    closings=("需要我详细说明其中某一点吗？", "希望对你有帮助！🙂"),
)
