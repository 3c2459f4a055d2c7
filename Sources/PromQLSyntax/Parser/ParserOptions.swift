/// What the parser accepts beyond the stable language, and how much of it.
package struct ParserOptions: Sendable {
    package var enablesExperimentalFunctions = false
    package var enablesExtendedRangeSelectors = false
    package var enablesFillModifiers = false
    /// Longest query, in bytes.
    package var bytesMax = 16 << 20
    /// Deepest nesting of nodes; a chain of operators nests, too. Everything that walks a tree recurses, so this bounds
    /// their stacks.
    package var depthMax = 500

    package init() {}

    /// Everything on, as test scripts assume.
    package static let everything: ParserOptions = {
        var options = ParserOptions()
        options.enablesExperimentalFunctions = true
        options.enablesExtendedRangeSelectors = true
        options.enablesFillModifiers = true
        return options
    }()
}
