"""The labs' JavaScript in Python: V8 by way of mini-racer, with no page."""

import json
import re
from contextlib import contextmanager

import numpy as np

from dtlbook.labs.parts import module


class Engine:
    """One V8 context. `js.run("f(x)", x=array)` gives the value back; arrays go in as Float64Array."""

    def __init__(self, *names):
        from py_mini_racer import MiniRacer

        self.context = MiniRacer()
        self.context.eval(re.sub(r"^export (?!default)", "", module(*names), flags=re.MULTILINE))
        self.context.eval(TO_TEXT)

    def run(self, code, **values):
        """The value of the last statement of ``code``; a RangeError of the module becomes a ValueError."""
        given = "".join(f"const {name} = {_source(value)};" for name, value in values.items())
        body, _, last = code.strip().rpartition("\n")
        text = f"toText(() => {{ {given}\n{body}\nreturn {last}\n}})"
        answer = json.loads(self.context.eval(text))
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]


TO_TEXT = """function toText(work) {
  const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value)
    : typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
  try { return JSON.stringify({ value: work() ?? null }, plain); }
  catch (error) { if (error instanceof RangeError) return JSON.stringify({ error: error.message }); throw error; }
}"""


def _source(value):
    if isinstance(value, float) and not np.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, np.ndarray):
        kind = "Int32Array" if value.dtype.kind in "iub" else "Float64Array"
        return f"{kind}.from({json.dumps(value.ravel().tolist())})"
    return json.dumps(value)


@contextmanager
def engine(*names):
    """An Engine that is closed at the end: left open, its thread can keep Python from ending."""
    js = Engine(*names)
    try:
        yield js
    finally:
        js.context.close()
