/// Why a template gives no text. The words are those of Go's `text/template`, because users meet them in alert
/// annotations and know them from there.
package struct TemplateError: Error, Hashable, Sendable {
    package enum Stage: Hashable, Sendable {
        case parsing, executing
    }

    package var stage: Stage
    /// The template's name.
    package var template: String
    /// From 1.
    package var line: Int
    /// Bytes from the line's start, from 0; nil where only the line is known.
    package var column: Int?
    /// Without the place.
    package var message: String
    /// The whole text behind the stage: `template: name:1:21: executing "name" at <first>: …`.
    package var detail: String

    init(parsing template: String, line: Int, _ message: String) {
        stage = .parsing
        self.template = template
        self.line = line
        self.message = message
        detail = "template: \(template):\(line): \(message)"
    }

    init(executing template: String, line: Int, column: Int, in section: String, at context: String, _ message: String)
    {
        stage = .executing
        self.template = template
        self.line = line
        self.column = column
        self.message = message
        detail = "template: \(template):\(line):\(column): executing \"\(section)\" at <\(context)>: \(message)"
    }
}

extension TemplateError: CustomStringConvertible {
    package var description: String {
        "error \(stage == .parsing ? "parsing" : "executing") template \(template): \(detail)"
    }
}
