private import Regexp
private import SeriesModel

/// Prometheus' own functions, those for numbers left out (see `HumanizingFunctions`).
enum PrometheusFunctions {
    static let all: [TemplateFunction] = [
        TemplateFunction("query", [.string]) { arguments, context throws(FunctionStop) in
            let text = arguments.text(0)
            switch context.answers[text] {
            case .samples(let samples)?: return .vector(samples)
            case .failure(let message)?: throw .failure(message)
            case nil: throw .needsQuery(text)
            }
        },
        TemplateFunction("first", [.vector]) { arguments, _ throws(FunctionStop) in
            guard let first = arguments.samples(0).first else {
                throw .failure("first() called on vector with no elements")
            }
            return .sample(first)
        },
        TemplateFunction("label", [.string, .sample]) { arguments, _ throws(FunctionStop) in
            .string(try arguments.sample(1).labels[arguments.text(0)] ?? "")
        },
        TemplateFunction("value", [.sample]) { arguments, _ throws(FunctionStop) in try arguments.sample(0).value },
        TemplateFunction("strvalue", [.sample]) { arguments, _ throws(FunctionStop) in
            .string(try arguments.sample(0).labels["__value__"] ?? "")
        },
        TemplateFunction("sortByLabel", [.string, .vector]) { arguments, _ throws(FunctionStop) in
            let label = arguments.text(0)
            // Go's slices.SortFunc is not stable; ours keeps the query's order among equals.
            let sorted = arguments.samples(1).enumerated().sorted { a, b in
                let (x, y) = (a.element.labels[label] ?? "", b.element.labels[label] ?? "")
                return x.hasSameBytes(as: y) ? a.offset < b.offset : x.precedesByBytes(y)
            }
            return .vector(sorted.map(\.element))
        },
        TemplateFunction("args", [], variadic: .any) { arguments, _ throws(FunctionStop) in
            .map(Dictionary(arguments.enumerated().map { ("arg\($0)", $1) }, uniquingKeysWith: { first, _ in first }))
        },
        TemplateFunction("tmpl", [.string, .any], kind: .template),
        TemplateFunction("title", [.string]) { arguments, _ throws(FunctionStop) in .string(titled(arguments.text(0)))
        },
        TemplateFunction("toUpper", [.string]) { arguments, _ throws(FunctionStop) in
            .string(arguments.text(0).uppercased())
        },
        TemplateFunction("toLower", [.string]) { arguments, _ throws(FunctionStop) in
            .string(arguments.text(0).lowercased())
        },
        TemplateFunction("match", [.string, .string]) { arguments, _ throws(FunctionStop) in
            .bool(try pattern(arguments.text(0)).matchesPart(of: arguments.text(1)))
        },
        TemplateFunction("reReplaceAll", [.string, .string, .string]) { arguments, _ throws(FunctionStop) in
            let pattern = try pattern(arguments.text(0))
            return .string(pattern.replacingMatches(in: arguments.text(2), with: arguments.text(1)))
        },
        TemplateFunction("graphLink", [.string]) { arguments, _ throws(FunctionStop) in
            .string(QueryLink.graph(arguments.text(0)))
        },
        TemplateFunction("tableLink", [.string]) { arguments, _ throws(FunctionStop) in
            .string(QueryLink.table(arguments.text(0)))
        },
        TemplateFunction("stripPort", [.string]) { arguments, _ throws(FunctionStop) in
            .string(HostPort(arguments.text(0))?.host ?? arguments.text(0))
        },
        TemplateFunction("stripDomain", [.string]) { arguments, _ throws(FunctionStop) in
            .string(HostPort.strippingDomain(arguments.text(0)))
        },
        TemplateFunction("externalURL", []) { _, context throws(FunctionStop) in
            .string(context.environment.externalURL)
        },
        TemplateFunction("pathPrefix", []) { _, context throws(FunctionStop) in
            .string(path(of: context.environment.externalURL))
        },
        TemplateFunction("safeHtml", [.string]) { arguments, _ throws(FunctionStop) in .safeHTML(arguments.text(0)) },
        TemplateFunction("urlQueryEscape", [.string]) { arguments, _ throws(FunctionStop) in
            .string(GoEscape.query(arguments.text(0)))
        },
    ]

    /// Go's regexp searches, and its `.` stops at line ends.
    private static func pattern(_ source: String) throws(FunctionStop) -> Pattern {
        do throws(PatternError) {
            // The expression alone first: a complaint should show what the user wrote.
            _ = try Pattern(source)
            return try Pattern("(?-s:" + source + ")")
        } catch {
            throw .failure(error.description)
        }
    }

    /// The first letter of each word in upper case, the others as they are.
    private static func titled(_ text: String) -> String {
        var out = ""
        var isInsideWord = false
        for character in text {
            let isWordPart = character.isLetter || character.isNumber || character == "'" || character == "_"
            out += isWordPart && !isInsideWord ? character.uppercased() : String(character)
            isInsideWord = isWordPart
        }
        return out
    }

    private static func path(of url: String) -> String {
        let bytes = Array(url.utf8)
        var start = 0
        for index in bytes.indices.dropLast(2) where bytes[index...].starts(with: "://".utf8) {
            start = index + 3
            break
        }
        guard let slash = bytes[start...].firstIndex(of: UInt8(ascii: "/")) else { return "" }
        let path = bytes[slash...].prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        return String(decoding: path, as: UTF8.self)
    }
}

extension [TemplateValue] {
    /// Arguments as their parameters promised them.
    func text(_ index: Int) -> String {
        guard index < count, case .string(let text) = self[index] else { return "" }
        return text
    }

    fileprivate func samples(_ index: Int) -> [TemplateSample] {
        guard index < count, case .vector(let samples) = self[index] else { return [] }
        return samples
    }

    fileprivate func sample(_ index: Int) throws(FunctionStop) -> TemplateSample {
        guard index < count, case .sample(let sample) = self[index] else {
            throw .failure("runtime error: invalid memory address or nil pointer dereference")
        }
        return sample
    }
}
