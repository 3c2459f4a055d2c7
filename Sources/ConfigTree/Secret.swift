/// A text that must not be shown: passwords, tokens, keys. Every description of it is the mask; the text itself is
/// read only where it is sent.
package struct Secret: Sendable, Hashable {
    package let text: String

    package init(_ text: String) { self.text = text }

    /// What stands in the configuration's rendering and in messages.
    package static let mask = "<secret>"
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { Secret.mask }
    package var debugDescription: String { Secret.mask }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
