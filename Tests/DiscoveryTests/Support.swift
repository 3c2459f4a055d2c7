import ConfigTree
import OutboundHTTP
import SelfMetrics
import SeriesModel
import Testing

@testable import Discovery

/// Parses YAML written in a test.
func yaml(_ text: String) throws -> ConfigNode { try ConfigNode.parse(text, file: "test.yml") }

/// A section with discovery keys only.
func section(_ text: String) throws -> DiscoverySection {
    var section = try yaml(text).section("config.ScrapeConfig")
    let discovery = try DiscoverySection(taking: &section, baseDirectory: "/etc/hearth")
    try section.finish()
    return discovery
}
