// swift-tools-version: 6.2
import PackageDescription

// Shared by every Swift target: one language mode, one set of upcoming features, no warning left standing.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")

/// A module of Hearth under `Sources/`. The arrows between them are those of `docs/architecture.md`; `TidyTests` holds
/// the imports against that page.
func module(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The tests of a module, under `Tests/<module>Tests`.
/// - Parameter exclude: folders of data that the tests read by their path.
func tests(_ name: String, _ dependencies: Target.Dependency..., exclude: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies, exclude: exclude,
        swiftSettings: settings)
}

/// A program that prints figures, under `benchmarks/<name>`.
func benchmark(_ name: String, _ dependencies: Target.Dependency..., exclude: [String] = []) -> Target {
    .executableTarget(
        name: name + "Benchmark", dependencies: dependencies, path: "benchmarks/" + name, exclude: exclude,
        swiftSettings: settings)
}

let package = Package(
    name: "hearth",
    products: [.executable(name: "hearth", targets: ["hearth"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // System libraries, and C and C++ behind plain C headers.
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        // Debian has no snappy.pc: the module map names the library.
        .systemLibrary(name: "CSnappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CRE2Shim", linkerSettings: [.linkedLibrary("re2")]),
        // OpenSSL 3, from Debian's libssl-dev.
        .target(name: "CCryptoShim", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CNumberText"),
        .target(name: "CPosixShim"),
        .target(name: "CChecksum"),
        .target(name: "CBitPacking"),

        // Ground
        module("ByteCoding", "CChecksum", "CLZ4", "CSnappy"),
        module("FileIO", "CPosixShim"),
        module("Regexp", "CRE2Shim"),
        module("OwnThreads"),

        // Words
        module("SeriesModel", "Regexp", "CNumberText"),
        module("ConfigTree", "SeriesModel", .product(name: "Yams", package: "Yams")),

        // Languages
        module("Exposition", "SeriesModel", "ByteCoding"),
        module("ChunkEncoding", "SeriesModel", "ByteCoding"),
        module("ColdPages", "ByteCoding", "CBitPacking"),
        module("PromQLSyntax", "SeriesModel", "Regexp"),
        module("Relabeling", "SeriesModel", "Regexp", "ConfigTree"),
        module("Templating", "SeriesModel", "Regexp"),

        // Ports
        module("StorageAPI", "SeriesModel"),
        module("SelfMetrics", "SeriesModel"),
        module(
            "OutboundHTTP", "ConfigTree", "OwnThreads", "SeriesModel", "CCryptoShim", "CDeflate", "CPosixShim", "CZlib",
            nioCore, nioPosix, nioHTTP1, nioSSL,
            .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
            .product(name: "NIOSOCKS", package: "swift-nio-extras"),
            .product(name: "AsyncHTTPClient", package: "async-http-client")),

        // Engines
        module("StorageFiles", "StorageAPI", "SeriesModel", "ByteCoding", "FileIO"),
        module(
            "WAL", "StorageFiles", "StorageAPI", "SeriesModel", "ByteCoding", "ChunkEncoding", "FileIO", "OwnThreads"),
        module(
            "Blocks", "ColdPages", "StorageFiles", "StorageAPI", "SeriesModel", "ByteCoding", "ChunkEncoding", "FileIO"),
        module(
            "PrometheusBlocks", "StorageFiles", "StorageAPI", "SeriesModel", "ByteCoding", "ChunkEncoding", "FileIO"),
        module(
            "BlockTransfer", "PrometheusBlocks", "Blocks", "Exposition", "StorageFiles", "StorageAPI", "SeriesModel",
            "ChunkEncoding", "FileIO"),
        module(
            "HeadMemory", "WAL", "StorageFiles", "StorageAPI", "SeriesModel", "ByteCoding", "ChunkEncoding", "FileIO",
            "Regexp"),
        module(
            "TSDB", "HeadMemory", "WAL", "Blocks", "PrometheusBlocks", "StorageFiles", "StorageAPI", "SeriesModel",
            "ByteCoding",
            "ChunkEncoding",
            "FileIO", "ConfigTree", "SelfMetrics",
            "Regexp", "OwnThreads", logging, .product(name: "GRDB", package: "GRDB.swift")),
        module("PromQLEngine", "PromQLSyntax", "StorageAPI", "SeriesModel", "SelfMetrics", "Regexp", "OwnThreads"),

        // Services
        module(
            "Discovery", "SeriesModel", "OutboundHTTP", "ConfigTree", "SelfMetrics", "OwnThreads", logging, nioCore,
            nioPosix),
        module(
            "Scrape", "Discovery", "Relabeling", "Exposition", "StorageAPI", "SeriesModel", "OutboundHTTP",
            "ConfigTree",
            "SelfMetrics", "OwnThreads", logging),
        module(
            "Rules", "PromQLEngine", "PromQLSyntax", "StorageAPI", "SeriesModel", "Templating", "ConfigTree",
            "SelfMetrics", logging),
        module(
            "Notifier", "Rules", "Discovery", "Relabeling", "SeriesModel", "OutboundHTTP", "ConfigTree", "SelfMetrics",
            logging),
        module(
            "RemoteStorage", "StorageAPI", "SeriesModel", "ByteCoding", "ConfigTree", "OutboundHTTP", "OwnThreads",
            "Relabeling", "SelfMetrics", logging),
        module("PromQLTestKit", "PromQLEngine", "PromQLSyntax", "StorageAPI", "SeriesModel", "SelfMetrics", "Regexp"),

        // Faces
        module(
            "HTTPAPI", "CZlib", "StorageAPI", "SeriesModel", "PromQLEngine", "PromQLSyntax", "Regexp", "Relabeling",
            "Rules", "Scrape", "RemoteStorage", "Exposition", "SelfMetrics", "OwnThreads", logging, nioCore, nioPosix,
            httpTypes,
            .product(name: "HummingbirdCore", package: "hummingbird")),
        module("WebUI", "HTTPAPI", httpTypes),

        // The whole
        module(
            "Server", "TSDB", "PromQLEngine", "PromQLSyntax", "Discovery", "Scrape", "Rules", "Notifier", "HTTPAPI",
            "WebUI", "RemoteStorage", "OutboundHTTP", "StorageAPI", "SeriesModel", "SelfMetrics", "ConfigTree",
            "Regexp",
            "FileIO", "OwnThreads", logging, nioPosix),
        module(
            "Demo", "Server", "SeriesModel", "ConfigTree", logging, nioCore,
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HummingbirdCore", package: "hummingbird")),
        .executableTarget(
            name: "hearth",
            dependencies: [
                "Server", "Demo", "PromQLTestKit", "PromQLSyntax", "Rules", "SeriesModel", "ConfigTree", "OutboundHTTP",
                "BlockTransfer", "Blocks", "Exposition", "FileIO", "PrometheusBlocks", "Scrape", "SelfMetrics",
                "StorageAPI", "TSDB", "WAL",
                logging, nioPosix, .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),

        // Tests
        .target(
            name: "TestSupport", dependencies: ["FileIO", "SeriesModel", logging, nioCore, nioPosix, nioSSL],
            path: "Tests/TestSupport", swiftSettings: settings),
        .target(
            name: "RandomPromQL",
            dependencies: ["PromQLEngine", "PromQLSyntax", "PromQLTestKit", "SeriesModel", "TestSupport"],
            path: "Tests/RandomPromQL", swiftSettings: settings),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "ByteCoding", "ConfigTree", "Exposition", "OutboundHTTP", "PromQLEngine", "PromQLSyntax",
                "PromQLTestKit", "RandomPromQL", "Relabeling", "RemoteStorage", "SelfMetrics", "SeriesModel", "Server",
                "StorageAPI", "TestSupport", logging,
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: settings),
        .executableTarget(
            name: "hearth-fuzz", dependencies: ["FuzzTargets", "OwnThreads"], path: "Tests/Fuzz/Runner",
            swiftSettings: settings),
        tests(
            "BlockTransfer", "Blocks", "ByteCoding", "ChunkEncoding", "FileIO", "PrometheusBlocks", "SeriesModel",
            "StorageAPI", "TestSupport"),
        tests(
            "Blocks", "ByteCoding", "ChunkEncoding", "FileIO", "SeriesModel", "StorageAPI", "StorageFiles",
            "TestSupport"),
        tests("ByteCoding"),
        tests("ChunkEncoding", "ByteCoding", "SeriesModel", "TestSupport", exclude: ["Golden"]),
        tests("ColdPages", "ByteCoding", "TestSupport"),
        tests("ConfigTree", "FileIO", "TestSupport"),
        tests("Demo"),
        tests(
            "Discovery", "ConfigTree", "OutboundHTTP", "SelfMetrics", "SeriesModel", "TestSupport", logging, nioCore,
            nioPosix, nioSSL),
        tests("Exposition", "ByteCoding", "SeriesModel", "TestSupport"),
        tests("FileIO", "TestSupport"),
        tests(
            "HTTPAPI", "ByteCoding", "CZlib", "Exposition", "PromQLEngine", "Regexp", "Relabeling", "RemoteStorage",
            "Rules",
            "Scrape",
            "SelfMetrics", "SeriesModel", "StorageAPI", "TestSupport", httpTypes, logging),
        tests(
            "HeadMemory", "ByteCoding", "ChunkEncoding", "FileIO", "SeriesModel", "StorageAPI", "TestSupport", "WAL"),
        tests(
            "Notifier", "ConfigTree", "OutboundHTTP", "Relabeling", "Rules", "Scrape", "SelfMetrics", "SeriesModel",
            "TestSupport", logging, nioCore, nioPosix, nioHTTP1),
        tests("OwnThreads"),
        tests(
            "OutboundHTTP", "ConfigTree", "OwnThreads", "SeriesModel", "TestSupport", nioCore, nioPosix, nioSSL),
        tests(
            "PromQLEngine", "PromQLSyntax", "PromQLTestKit", "SelfMetrics", "SeriesModel", "StorageAPI", "TestSupport",
            exclude: ["Plans", "Scripts"]),
        .testTarget(
            name: "PromQLPropertyTests",
            dependencies: [
                "FuzzTargets", "PromQLEngine", "PromQLSyntax", "PromQLTestKit", "RandomPromQL", "SelfMetrics",
                "SeriesModel", "StorageAPI", "TSDB", "TestSupport", logging,
            ],
            swiftSettings: settings),
        tests(
            "PrometheusBlocks", "ByteCoding", "ChunkEncoding", "FileIO", "SeriesModel", "StorageAPI", "TestSupport"),
        tests("PromQLSyntax", "SeriesModel", "TestSupport"),
        tests(
            "PromQLTestKit", "PromQLEngine", "PromQLSyntax", "SelfMetrics", "SeriesModel", "StorageAPI", "TestSupport"),
        tests("Regexp"),
        tests(
            "RemoteStorage", "ByteCoding", "ConfigTree", "OutboundHTTP", "OwnThreads", "Relabeling", "SelfMetrics",
            "SeriesModel", "StorageAPI", "TestSupport", logging, nioPosix),
        tests("Relabeling", "ConfigTree", "Regexp", "SeriesModel", "TestSupport"),
        tests(
            "Rules", "ConfigTree", "PromQLEngine", "PromQLTestKit", "SelfMetrics", "SeriesModel", "StorageAPI",
            "TestSupport", logging),
        tests(
            "Scrape", "ConfigTree", "Discovery", "Exposition", "OutboundHTTP", "SelfMetrics", "SeriesModel",
            "StorageAPI",
            "TestSupport", logging, nioCore, nioPosix),
        tests("SeriesModel", "Regexp", "TestSupport"),
        tests(
            "Server", "ConfigTree", "FileIO", "Notifier", "OutboundHTTP", "PromQLEngine", "PromQLSyntax",
            "RemoteStorage", "Rules", "Scrape",
            "SelfMetrics", "SeriesModel", "TSDB", "TestSupport", logging, nioPosix),
        tests(
            "TSDB", "Blocks", "ByteCoding", "ChunkEncoding", "FileIO", "HeadMemory", "OwnThreads", "PrometheusBlocks",
            "SelfMetrics",
            "SeriesModel", "StorageAPI", "StorageFiles", "TestSupport", "WAL", logging,
            .product(name: "GRDB", package: "GRDB.swift")),
        tests("Templating", "SeriesModel", "TestSupport"),
        tests("WAL", "ByteCoding", "FileIO", "SeriesModel", "StorageAPI", "StorageFiles", "TestSupport"),
        tests("WebUI", "HTTPAPI", "PromQLEngine", "SelfMetrics", "SeriesModel", "StorageAPI", httpTypes),
        .testTarget(name: "TidyTests", path: "Tests/TidyTests", swiftSettings: settings),

        // Benchmarks
        benchmark("Blocks", "BackendSeries", "Blocks", "ChunkEncoding", "FileIO", "SeriesModel", "StorageAPI"),
        benchmark("Codec", "ChunkEncoding", "SeriesModel"),
        .target(
            name: "BackendSeries", dependencies: ["SeriesModel"], path: "benchmarks/Backend", swiftSettings: settings),
        benchmark(
            "Store", "BackendSeries", "HeadMemory", "TSDB", "FileIO", "StorageAPI", "SeriesModel", "SelfMetrics",
            "OwnThreads", logging),
        benchmark(
            "Ingest", "BackendSeries", "TSDB", "Exposition", "FileIO", "StorageAPI", "SeriesModel", "SelfMetrics",
            logging),
        benchmark(
            "Query", "BackendSeries", "TSDB", "PromQLEngine", "RemoteStorage", "FileIO", "ByteCoding", "StorageAPI",
            "SeriesModel",
            "SelfMetrics", logging,
            exclude: ["side_by_side.py", "query_set.py", "servers.py", "measure.py", "report.py"]),
    ],
    cxxLanguageStandard: .cxx17
)
