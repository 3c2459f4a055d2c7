import ConfigTree
import Testing

@Suite("Files that a configuration names")
struct ConfigFileTests {
    @Test(
        "relative paths are relative to the naming file",
        arguments: [
            ("/etc/x", "/base", "/etc/x"), ("x", "/base", "/base/x"), ("x", "/base/", "/base/x"), ("x", ".", "x"),
            ("", "/b", ""),
        ])
    func resolve(path: String, base: String, expected: String) {
        #expect(ConfigFile.resolve(path, in: base) == expected)
    }

    @Test("directories of paths", arguments: [("/a/b.yml", "/a"), ("b.yml", "."), ("/b", "/")])
    func directory(path: String, expected: String) {
        #expect(ConfigFile.directory(of: path) == expected)
    }

    @Test("a file that is not there is named in the error")
    func missing() {
        let error = #expect(throws: ConfigError.self) { try ConfigFile.read("/nowhere/at/all") }
        #expect(error?.message == "open /nowhere/at/all: no such file or directory")
    }
}
