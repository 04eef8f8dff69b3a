"""A bar for each row, as SVG."""

from html import escape

WIDTH, LABEL, ROW, BAR, TOP = 900, 330, 26, 16, 56


def bars(title: str, rows: list[tuple[str, float, float]]) -> str:
    """`rows`: name, value, and a goal (0: none), which is drawn as a line. Long bars are cut."""
    shown = sorted(value for _, value, _ in rows)
    longest = 1.15 * next((v for v in reversed(shown) if v <= 6 * shown[0]), shown[-1])
    scale = (WIDTH - LABEL - 90) / longest
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
           f'height="{TOP + ROW * len(rows) + 16}" font-family="sans-serif" font-size="13">',
           '<rect width="100%" height="100%" fill="#fff"/>',
           f'<text x="16" y="28" font-size="16">{escape(title)}</text>']
    for i, (name, value, goal) in enumerate(rows):
        y = TOP + i * ROW
        length = min(value, longest) * scale
        fill = "#c0504d" if goal and value > goal else "#4f81bd" if goal else "#9aa5b1"
        out.append(f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
        out.append(f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{fill}"/>')
        if goal and goal <= longest:
            x = LABEL + goal * scale
            out.append(f'<line x1="{x:.1f}" y1="{y - 3}" x2="{x:.1f}" y2="{y + BAR + 3}" '
                       'stroke="#222" stroke-width="2"/>')
        cut = " (cut)" if value > longest else ""
        out.append(f'<text x="{LABEL + length + 8:.1f}" y="{y + 13}">{value:.1f}{cut}</text>')
    out.append("</svg>\n")
    return "\n".join(out)
