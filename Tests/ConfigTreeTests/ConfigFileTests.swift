import ConfigTree
import FileIO
import TestSupport
import Testing

@Suite("Files that a configuration names")
struct ConfigFileTests {
    @Test(
        "relative paths are relative to the naming file",
        arguments: [
            ("/etc/x", "/base", "/etc/x"), ("x", "/base", "/base/x"), ("x", "/base/", "/base/x"), ("x", ".", "x"),
            ("", "/b", ""), ("./r/*.yml", "/base", "/base/r/*.yml"), ("../r.yml", "/base/x", "/base/r.yml"),
            ("../../../r.yml", "/base", "/r.yml"), ("../r.yml", ".", "../r.yml"), ("x//y", "rel", "rel/x/y"),
            ("règles/a.yml", "/b", "/b/règles/a.yml"),
        ])
    func resolve(path: String, base: String, expected: String) {
        #expect(ConfigFile.resolve(path, in: base) == expected)
    }

    @Test("directories of paths", arguments: [("/a/b.yml", "/a"), ("b.yml", "."), ("/b", "/")])
    func directory(path: String, expected: String) {
        #expect(ConfigFile.directory(of: path) == expected)
    }

    @Test(
        "a pattern names files by every part of their paths, whatever alphabet these have",
        arguments: [
            ("*.yml", ["a.yml", "b.yml"]), ("règles/*.yml", ["règles/.hidden.yml", "règles/x.yml"]),
            ("r*/x.yml", ["règles/x.yml"]),
            ("*/*.yml", ["other/y.yml", "règles/.hidden.yml", "règles/x.yml"]), ("a.yml", ["a.yml"]), ("c.yml", []),
            ("[ab].yml", ["a.yml", "b.yml"]), ("?.yml", ["a.yml", "b.yml"]), ("none/*.yml", []), ("*/none.yml", []),
        ])
    func patterns(pattern: String, expected: [String]) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        for path in ["règles", "other"] { try PosixFileSystem().createDirectory(directory(path)) }
        for path in ["a.yml", "b.yml", "c.txt", "règles/x.yml", "règles/.hidden.yml", "other/y.yml"] {
            try directory.write(path, "")
        }
        #expect(ConfigFile.expand(glob: directory(pattern)) == expected.map { directory($0) })
    }

    @Test("a file that is not there is named in the error")
    func missing() {
        let error = #expect(throws: ConfigError.self) { try ConfigFile.read("/nowhere/at/all") }
        #expect(error?.message == "open /nowhere/at/all: no such file or directory")
    }
}
