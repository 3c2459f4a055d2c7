import SelfMetrics
import SeriesModel
import Testing

@testable import Scrape

@Suite("Metrics of scraping")
struct ScrapeMetricsTests {
    private static let names = [
        "scrape_pools_total", "scrape_pools_failed_total", "scrape_pool_reloads_total",
        "scrape_pool_reloads_failed_total", "scrape_pool_exceeded_target_limit_total",
        "scrape_pool_exceeded_label_limits_total", "scrapes_exceeded_body_size_limit_total",
        "scrapes_exceeded_sample_limit_total", "scrapes_exceeded_native_histogram_bucket_limit_total",
        "scrapes_sample_duplicate_timestamp_total", "scrapes_sample_out_of_order_total",
        "scrapes_sample_out_of_bounds_total", "scrapes_cache_flush_forced_total",
        "scrapes_exemplar_out_of_order_total",
    ]

    @Test("what has no job in its name is there from the start, at 0", arguments: names)
    func zero(name: String) {
        let registry = MetricsRegistry()
        _ = ScrapeMetrics(registry: registry)
        #expect(registry.exposition().contains("\nprometheus_target_\(name) 0\n"))
    }

    @Test("what belongs to a job is there with the job, and gone with it")
    func job() {
        let registry = MetricsRegistry()
        let metrics = ScrapeMetrics(registry: registry).job("j")
        let before = registry.exposition()
        for name in [
            "scrape_pool_targets", "scrape_pool_target_limit", "scrape_pool_symboltable_items",
            "metadata_cache_entries", "metadata_cache_bytes", "scrape_pool_sync_total", "sync_failed_total",
            "sync_length_seconds_count", "sync_length_histogram_seconds_count",
        ] {
            #expect(before.contains("\nprometheus_target_\(name){scrape_job=\"j\"} 0\n"), "\(name)")
        }
        metrics.remove()
        #expect(!registry.exposition().contains("scrape_job"))
    }
}
