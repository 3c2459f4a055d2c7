private import SeriesModel

/// `fmt.Sprintf`: verbs with flags, width and precision. Widths and precisions are bounded, as templates come from
/// files that anybody may write.
extension GoFormat {
    private static let widthMax = 10_000

    private struct Directive {
        var minus = false
        var plus = false
        var sharp = false
        var zero = false
        var space = false
        var width: Int?
        var precision: Int?
    }

    static func format(_ format: String, _ arguments: [TemplateValue]) throws(FunctionStop) -> String {
        var out = ""
        var rest = Substring(format)
        var next = 0
        while let character = rest.popFirst() {
            guard character == "%" else {
                out.append(character)
                continue
            }
            var directive = Directive()
            flags(&rest, &directive)
            directive.width = try number(&rest, arguments, &next)
            if let width = directive.width, width < 0 {
                directive.minus = true
                directive.width = -width
            }
            if rest.first == "." {
                rest.removeFirst()
                directive.precision = max(0, try number(&rest, arguments, &next) ?? 0)
            }
            guard let verb = rest.popFirst() else {
                out += "%!(NOVERB)"
                break
            }
            if verb == "%" {
                out += "%"
            } else if next < arguments.count {
                out += write(arguments[next], verb, directive)
                next += 1
            } else {
                out += "%!\(verb)(MISSING)"
            }
        }
        if next < arguments.count {
            let extra = arguments[next...].map { $0.typeName + "=" + text(of: $0) }
            out += "%!(EXTRA " + extra.joined(separator: ", ") + ")"
        }
        return out
    }

    private static func flags(_ rest: inout Substring, _ directive: inout Directive) {
        while let flag = rest.first {
            switch flag {
            case "-": directive.minus = true
            case "+": directive.plus = true
            case "#": directive.sharp = true
            case "0": directive.zero = true
            case " ": directive.space = true
            default: return
            }
            rest.removeFirst()
        }
    }

    private static func number(
        _ rest: inout Substring, _ arguments: [TemplateValue], _ next: inout Int
    ) throws(FunctionStop) -> Int? {
        if rest.first == "*" {
            rest.removeFirst()
            defer { next += 1 }
            guard next < arguments.count, case .int(let value) = arguments[next] else { return nil }
            guard value >= -Int64(widthMax), value <= Int64(widthMax) else { throw .failure("width out of range") }
            return Int(truncatingIfNeeded: value)
        }
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { return nil }
        rest.removeFirst(digits.count)
        guard let value = Int(digits), value <= widthMax else { throw .failure("width out of range") }
        return value
    }

    private static func write(_ argument: TemplateValue, _ verb: Character, _ directive: Directive) -> String {
        if verb == "T" { return pad(argument.typeName, directive) }
        let text: String?
        switch argument {
        case _ where verb == "v": text = plain(argument, directive)
        case .bool(let value): text = verb == "t" ? (value ? "true" : "false") : nil
        case .int(let value): text = integer(Int128(value), verb, directive)
        case .duration(let value), .named(let value, _, _):
            text = verb == "s" ? pad(GoFormat.text(of: argument), directive) : integer(Int128(value), verb, directive)
        case .uint(let value): text = integer(Int128(value), verb, directive)
        case .float(let value): text = float(value, verb, directive)
        case .string(let value), .safeHTML(let value): text = string(value, verb, directive)
        case .none: return "%!\(verb)(<nil>)"
        default: text = verb == "s" ? pad(GoFormat.text(of: argument), directive) : nil
        }
        guard let text else { return "%!\(verb)(\(argument.typeName)=\(GoFormat.text(of: argument)))" }
        return text
    }

    private static func plain(_ value: TemplateValue, _ directive: Directive) -> String {
        switch value {
        case .int(let value): integer(Int128(value), "d", directive) ?? ""
        case .uint(let value): integer(Int128(value), "d", directive) ?? ""
        case .float(let value): float(value, "g", directive) ?? ""
        case .none: pad("<nil>", directive)
        case .string(let text) where directive.sharp: pad(GoQuote.quote(text), directive)
        default: pad(text(of: value), directive)
        }
    }

    private static func string(_ value: String, _ verb: Character, _ directive: Directive) -> String? {
        var value = value
        if let precision = directive.precision, verb != "x", verb != "X" {
            value = String(String.UnicodeScalarView(value.unicodeScalars.prefix(precision)))
        }
        switch verb {
        case "s": return pad(value, directive)
        case "q": return pad(GoQuote.quote(value), directive)
        case "x", "X":
            let digits = value.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: verb == "X") }
            return pad(digits.joined(), directive)
        default: return nil
        }
    }

    private static func integer(_ value: Int128, _ verb: Character, _ directive: Directive) -> String? {
        var digits: String
        switch verb {
        case "d": digits = String(value.magnitude)
        case "b": digits = String(value.magnitude, radix: 2)
        case "o": digits = (directive.sharp ? "0" : "") + String(value.magnitude, radix: 8)
        case "x", "X":
            digits = String(value.magnitude, radix: 16, uppercase: verb == "X")
            if directive.sharp { digits = (verb == "X" ? "0X" : "0x") + digits }
        case "c", "q", "U":
            guard let scalar = UInt32(exactly: value).flatMap(Unicode.Scalar.init) else { return nil }
            if verb == "c" { return pad(String(Character(scalar)), directive) }
            if verb == "q" { return pad("'" + String(Character(scalar)) + "'", directive) }
            let code = String(scalar.value, radix: 16, uppercase: true)
            return pad("U+" + String(repeating: "0", count: max(0, 4 - code.utf8.count)) + code, directive)
        default: return nil
        }
        if let precision = directive.precision, digits.utf8.count < precision {
            digits = String(repeating: "0", count: precision - digits.utf8.count) + digits
        }
        return padNumber(digits, isNegative: value < 0, directive, zeros: directive.precision == nil)
    }

    private static func float(_ value: Double, _ verb: Character, _ directive: Directive) -> String? {
        let text: String
        let magnitude = value.isNaN ? value : abs(value)
        switch verb {
        case "f", "F": text = NumberText.fixed(magnitude, digits: directive.precision ?? 6)
        case "e": text = NumberText.scientific(magnitude, digits: directive.precision ?? 6)
        case "E": text = NumberText.scientific(magnitude, digits: directive.precision ?? 6).uppercased()
        case "g": text = general(magnitude, precision: directive.precision)
        case "G": text = general(magnitude, precision: directive.precision).uppercased()
        default: return nil
        }
        let digits = text.hasPrefix("+") ? String(text.dropFirst()) : text
        var directive = directive
        // Infinity has a sign even without the flag.
        if value == .infinity { directive.plus = true }
        return padNumber(digits, isNegative: value.sign == .minus && !value.isNaN, directive, zeros: value.isFinite)
    }

    private static func padNumber(
        _ digits: String, isNegative: Bool, _ directive: Directive, zeros: Bool
    ) -> String {
        let sign = isNegative ? "-" : directive.plus ? "+" : directive.space ? " " : ""
        if directive.zero, zeros, !directive.minus, let width = directive.width {
            let missing = width - sign.utf8.count - digits.utf8.count
            return sign + String(repeating: "0", count: max(0, missing)) + digits
        }
        return pad(sign + digits, directive)
    }

    private static func pad(_ text: String, _ directive: Directive) -> String {
        guard let width = directive.width else { return text }
        let blanks = String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
        return directive.minus ? text + blanks : blanks + text
    }
}
