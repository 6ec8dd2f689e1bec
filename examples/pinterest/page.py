"""The answers as tables on the terminal and as one self-contained page with charts. Standard library only."""
import html

TITLES = {
    "q1": "Most posted category in each country",
    "q2": "Posts per category and year, 2018 to 2022",
    "q3": "Most followed poster in each country",
    "q3b": "Country of the most followed poster",
    "q4": "Most posted category in each age group",
    "q5": "Median followers by age group",
    "q6": "Users who joined, 2015 to 2020",
    "q7": "Median followers by year of joining",
    "q8": "Median followers by age group and year of joining",
}
SHOWN = 12  # rows of a table on the terminal
STYLE = """
:root { color-scheme: light dark; --ink: #1c1f23; --soft: #5c6670; --line: #d8dde2; --paper: #fff; --bar: #b3243c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa4ad; --line: #343a40; --paper: #16181b; --bar: #e0566c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; } p { color: var(--soft); margin: .2rem 0; }
.branch { font-size: .8rem; color: var(--soft); text-transform: uppercase; letter-spacing: .06em; margin: .8rem 0 .2rem; }
.rows { max-height: 22rem; overflow: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { position: sticky; top: 0; background: var(--paper); font-weight: 600; }
td.number { text-align: right; } td.bar { width: 40%; } td.bar svg { display: block; } rect { fill: var(--bar); }
"""


def text(value):
    if value is None:
        return "-"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10000 else str(value)


def write_tables(answers):
    """Every question of every branch, to standard output."""
    for branch, results in answers.items():
        for name, title in TITLES.items():
            rows = results.get(name, [])
            print(f"\n{name} ({branch}): {title}")
            if not rows:
                print("  no rows")
                continue
            columns = list(rows[0])
            cells = [columns] + [[text(row[column]) for column in columns] for row in rows[:SHOWN]]
            widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
            for line in cells:
                print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
            if len(rows) > SHOWN:
                print(f"  .. {len(rows) - SHOWN} more")


def table(rows):
    columns = list(rows[0])
    measure = columns[-1]
    most = max((row[measure] or 0) for row in rows) or 1
    head = "".join(f"<th scope=col>{html.escape(column)}</th>" for column in columns) + "<td></td>"
    lines = []
    for row in rows:
        cells = "".join(f'<td{" class=number" if isinstance(row[column], (int, float)) else ""}>'
                        f"{html.escape(text(row[column]))}</td>" for column in columns)
        width = 100 * (row[measure] or 0) / most
        bar = (f'<td class=bar><svg width="100%" height="10" aria-hidden="true"><rect width="{width:.1f}%" height="10" '
               'rx="2"/></svg></td>')
        lines.append(f"<tr>{cells}{bar}</tr>")
    return f"<div class=rows tabindex=0><table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"


def write_page(path, answers):
    """One file, no outside requests: a table with bars for each question and branch."""
    parts = ["<!doctype html><html lang=en><meta charset=utf-8><title>Pinterest pipeline: the eight questions</title>",
             f"<meta name=viewport content='width=device-width'><style>{STYLE}</style>",
             "<h1>The eight questions</h1><p>Answered over the cleaned rows by scheduled queries, "
             f"{' and '.join(answers)} branch.</p>"]
    for name, title in TITLES.items():
        parts.append(f"<h2>{name.upper()} &middot; {html.escape(title)}</h2>")
        for branch, results in answers.items():
            rows = results.get(name, [])
            parts.append(f"<div class=branch>{html.escape(branch)} &middot; {len(rows)} rows</div>")
            parts.append(table(rows) if rows else "<p>No rows.</p>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts) + "\n")
