"""Makes a failing scenario smaller: as long as it still fails, lines go, then words get simpler."""


def without_lines(lines, fails):
    """Delta debugging: ever smaller runs of lines are taken out."""
    size = max(1, len(lines) // 2)
    while size >= 1:
        start = 0
        while start < len(lines):
            shorter = lines[:start] + lines[start + size:]
            if shorter and fails(shorter):
                lines = shorter
            else:
                start += size
        size //= 2
    return lines


def simpler_words(word):
    """Simpler words to put in this one's place, the simplest first."""
    items = word.split("+")
    if len(items) > 1:
        yield from items
        for i in range(len(items)):
            yield "+".join(items[:i] + items[i + 1:])
    if "=" in word or word == "pass":
        yield from (each for each in ("-", "pass", "val=0") if each != word)
    if "/" in word:
        head, _, tail = word.partition("/")
        yield head + word[word.index(":"):] if ":" in word else head
        yield word.partition("=")[0] + "=" + tail
    if word.replace(".", "").replace("-", "").isdigit():
        yield from (each for each in ("0", "1") if each != word)
    if ":" in word and "=" not in word and word.partition(":")[0] != "Error":
        yield "Error:" + word.partition(":")[2]


def simpler_lines(line):
    """Simpler lines to put in this one's place."""
    words = line.split()
    if words[0] == "later":
        yield " ".join(words[3:])
    if words[0] == "inline" and ";" in words:
        steps = " ".join(words[2:]).split(" ; ")
        for i in range(len(steps)):
            yield f"inline {words[1]} " + " ; ".join(steps[:i] + steps[i + 1:])
    if words[0] == "new" and len(words) == 3 or words[0] == "timeout" and len(words) == 4:
        yield " ".join(words[:-1])
    if words[0] in ("list", "gather", "race"):
        first = 2 if words[0] == "race" else 3
        if words[0] != "race":
            for flag in words[2].strip("-"):
                yield " ".join(words[:2] + [words[2].replace(flag, "") or "-"] + words[3:])
        for i in range(first, len(words)):
            yield " ".join(words[:i] + words[i + 1:])
    for i in range(2, len(words)):
        for simpler in simpler_words(words[i]):
            yield " ".join(words[:i] + [simpler] + words[i + 1:])
    if words[0] == "add":
        yield f"both {words[1]} {words[2]} {words[3]}"


def is_sound(line):
    """Not every simpler line is one of the language."""
    words = line.split()
    if not words:
        return False
    if words[0] == "add":
        return len(words) == 5 and words[3:] != ["-", "-"]
    if words[0] == "inline":
        steps = [step.split() for step in " ".join(words[2:]).split(" ; ")]
        markers = [step[0] for step in steps if step and step[0] in ("try", "except", "end")]
        return len(words) > 2 and all(steps) and markers in ([], ["try", "except", "end"]) and (
            all(len(step) == 2 for step in steps if step[0] == "do") and
            not any(step == ["do", "-"] or step[:2] == ["do", "pass"] or step[:2] == ["do", "val=0"]
                    for step in steps))
    if words[0] in ("both", "timeout", "maybe", "run", "deferlater", "loop") and words[-1] == "-":
        return False
    if words[0] == "new" and len(words) == 3:
        return words[2] in ("none", "noop") or words[2][:3] in ("cb=", "eb=")
    if words[0] == "sem":
        return int(words[2]) > 0
    if words[0] == "loop":
        return float(words[3]) > 0
    if words[0] == "later":
        return is_sound(" ".join(words[3:])) if len(words) > 3 else False
    return True


def with_simpler_lines(lines, fails):
    """One pass over all lines; each is replaced as often as that helps."""
    for i in range(len(lines)):
        again = True
        while again:
            again = False
            for simpler in simpler_lines(lines[i]):
                changed = lines[:i] + [simpler] + lines[i + 1:]
                if len(simpler) < len(lines[i]) and is_sound(simpler) and fails(changed):
                    lines, again = changed, True
                    break
    return lines


def shrink(lines, fails):
    """The smallest scenario found that still fails; fails(lines) tells."""
    before = None
    while lines != before:
        before = lines
        lines = with_simpler_lines(without_lines(lines, fails), fails)
    return lines
