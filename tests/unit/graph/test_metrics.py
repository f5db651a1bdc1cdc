"""What is counted of requests, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from graph.health import Metrics


def samples(metrics: Metrics, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """The samples of one name, by these labels."""
    return {
        tuple(sample.labels[label] for label in labels): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
        if sample.name == name
    }


def test_requests_are_counted_by_route_and_status() -> None:
    """And the codes of their errors by themselves."""
    metrics = Metrics()
    for route, status, codes in (("/a", 200, []), ("/a", 200, ["X", "Y"]), ("/a", 404, ["X"]), ("/b", 200, [])):
        metrics.observe(route, status, 0.1, codes)
    assert samples(metrics, "fieldward_requests_total", "route", "status") == {
        ("/a", "200"): 2,
        ("/a", "404"): 1,
        ("/b", "200"): 1,
    }
    assert samples(metrics, "fieldward_errors_total", "code") == {("X",): 2, ("Y",): 1}


def test_times_fall_into_the_buckets_up_to_their_bounds() -> None:
    """A bucket holds all that took as long as its bound, or less."""
    metrics = Metrics()
    for seconds in (0.0005, 0.001, 0.0011, 9.0, 11.0):
        metrics.observe("/a", 200, seconds, [])
    held = samples(metrics, "fieldward_request_seconds_bucket", "le")
    assert [held[bound,] for bound in ("0.001", "0.0025", "5.0", "10.0", "+Inf")] == [2, 3, 3, 4, 5]
    assert samples(metrics, "fieldward_request_seconds_count", "route") == {("/a",): 5}
    assert round(samples(metrics, "fieldward_request_seconds_sum", "route")[("/a",)], 6) == 20.0026


def test_each_series_says_since_when_it_counts() -> None:
    """So that a scraper can tell a start from a reset."""
    metrics = Metrics()
    metrics.observe("/a", 200, 0.1, [])
    for name in ("fieldward_requests_created", "fieldward_request_seconds_created"):
        assert samples(metrics, name, "route")[("/a",)] > 0
