import Foundation
import Testing

/// The imports under `Sources/` are those that `docs/architecture.md` allows.
@Suite struct ArrowTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func read(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Module -> what it may import; nil for everything.
    private static func arrows() throws -> [String: Set<String>?] {
        let page = try read("docs/architecture.md")
        let block = page.components(separatedBy: "```arrows\n").dropFirst().first?.components(separatedBy: "```").first
        var arrows: [String: Set<String>?] = [:]
        for line in (block ?? "").split(separator: "\n") {
            let sides = line.components(separatedBy: " ->")
            let targets = Set(sides[1].split(separator: " ").map(String.init))
            arrows.updateValue(targets.contains("*") ? nil : targets, forKey: sides[0])
        }
        return arrows
    }

    private static func swiftFiles(in directory: String) -> [String] {
        let base = root.appending(path: directory)
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".swift") }.map { directory + "/" + $0 }
    }

    @Test("modules import only what the architecture page allows")
    func imports() throws {
        let arrows = try Self.arrows()
        #expect(arrows.count > 15)
        for path in Self.swiftFiles(in: "Sources") {
            let module = path.split(separator: "/")[1]
            let allowed = try #require(arrows[String(module)], "\(module) is not in docs/architecture.md")
            guard let allowed else { continue }
            for line in try Self.read(path).split(separator: "\n") where line.contains("import ") {
                let words = line.split(separator: " ")
                guard let index = words.firstIndex(of: "import"), index < 2, index + 1 < words.count else { continue }
                let imported = String(words[index + 1])
                guard arrows.keys.contains(imported) else { continue }
                #expect(allowed.contains(imported), "\(path) imports \(imported)")
            }
        }
    }

    @Test("third-party packages stand behind one door each")
    func doors() throws {
        let doors: [String: [String]] = [
            "GRDB": ["Sources/TSDB/Catalog"], "Yams": ["Sources/ConfigTree"],
            "Hummingbird": ["Sources/HTTPAPI", "Sources/WebUI", "Sources/Demo"],
            "AsyncHTTPClient": ["Sources/OutboundHTTP"], "ArgumentParser": ["Sources/hearth"],
        ]
        for path in Self.swiftFiles(in: "Sources") {
            let text = try Self.read(path)
            for (package, folders) in doors where text.contains("import \(package)\n") {
                #expect(folders.contains { path.hasPrefix($0) }, "\(path) imports \(package)")
            }
        }
    }

    @Test("the top level holds what it should and nothing else")
    func topLevel() throws {
        let allowed: Set<String> = [
            "Package.swift", "Sources", "Tests", "rules", "benchmarks", "docs", "README.md", "Makefile", "LICENSE",
            "CHANGELOG.md", "Package.resolved", "data",
        ]
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.root.path) where !name.hasPrefix(".") {
            #expect(allowed.contains(name), "\(name) does not belong on the top level")
        }
    }

    @Test("no source file leaves work undone or traps on purpose where input can reach")
    func unfinished() throws {
        let banned = ["TODO", "FIXME", "fatalError(", "try!", " as! "]
        for path in Self.swiftFiles(in: "Sources") {
            let text = try Self.read(path)
            for word in banned { #expect(!text.contains(word), "\(path) contains \(word)") }
        }
    }
}
