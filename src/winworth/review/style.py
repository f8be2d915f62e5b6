"""How every chart looks: one set of colours that the colour-blind tell apart and grey keeps apart, one set of lines."""

WINNING, WORTH, INK, QUIET, GRID = "#0b559f", "#e8a33d", "#1c2733", "#5a6875", "#dde3e9"
LINES = (WINNING, WORTH, "#2f8f6b", "#a4508b", "#7a6f5d", QUIET)
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 3)), "-")  # lines differ by more than their colour
LOW_TO_HIGH = ("#cfe0f3", "#0d2b4e")  # light to dark: reads in grey
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
WIDTH = 5.0
STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": GRID,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.pad": 6,
    "ytick.major.pad": 6,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
}
