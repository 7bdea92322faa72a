"""Medians, spreads and ratios."""
import statistics


class Figure:
    """What one peer needs for one metric."""

    def __init__(self, unit, values):
        self.unit, self.n_rounds = unit, len(values)
        self.low, self.high = min(values), max(values)
        self.median = statistics.median(values)
        # Half the distance between the best and the worst round, as a part of the median.
        self.spread = (self.high - self.low) / 2 / self.median if self.median else 0.0

    @property
    def more_is_better(self):
        return self.unit.endswith("/s")

    @property
    def cost(self):
        """Less is better, whatever the unit."""
        return 1 / self.median if self.more_is_better and self.median else self.median


class Row:
    """One metric: a figure for each peer that reports it."""

    def __init__(self, description, figures, peers):
        self.metric = description["metric"]
        self.title = description.get("title", self.metric)
        self.meaning = " ".join(description.get("meaning", "").split())
        self.in_chart = description.get("chart", True)
        self.figures, self.peers = figures, peers

    @property
    def unit(self):
        return next(iter(self.figures.values())).unit

    def best(self, accepts):
        """The peer with the least cost among those accepted, None if there is none."""
        candidates = [peer for peer in self.peers if peer.name in self.figures and accepts(peer)]
        return min(candidates, key=lambda peer: self.figures[peer.name].cost, default=None)

    def best_floor(self):
        return self.best(lambda peer: peer.is_floor)

    def best_native(self):
        """The best in C or C++."""
        return self.best(lambda peer: peer.rank()[0] == 2 and not peer.is_unlike)

    def best_other(self):
        return self.best(lambda peer: peer.rank()[0] == 3)

    def ratio(self, peer):
        """libfate's cost divided by the peer's; None if either has none."""
        if peer is None or "fate" not in self.figures or peer.name not in self.figures:
            return None
        cost = self.figures[peer.name].cost
        return self.figures["fate"].cost / cost if cost else None


def rows_of(description, samples, peers):
    """The rows that the workload describes, as far as somebody reports them, and then all others."""
    reported = dict.fromkeys(metric for results in samples.values() for metric in results)
    described = {row["metric"]: row for row in description.get("row", [])}
    metrics = [metric for metric in described if metric in reported]
    metrics += [metric for metric in reported if metric not in described]
    rows = []
    for metric in metrics:
        figures = {name: Figure(results[metric]["unit"], results[metric]["values"])
                   for name, results in samples.items() if metric in results}
        rows.append(Row(described.get(metric, {"metric": metric}), figures, peers))
    return rows


def number(value):
    """Three digits: 7.31, 42.0, 1,290, 46.5k, 2.26M."""
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:.2f}M"
    if size >= 1e5:
        return f"{value / 1e3:.0f}k"
    if size >= 1e4:
        return f"{value / 1e3:.1f}k"
    if size >= 1e3:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"
