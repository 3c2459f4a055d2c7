/// Holds a query's annotations of one kind against what a script expects.
struct AnnotationCheck {
    let kind: String
    let expectation: TestScript.AnnotationExpectation

    init(kind: String, _ expectation: TestScript.AnnotationExpectation) {
        self.kind = kind
        self.expectation = expectation
    }

    func check(_ texts: [String]) throws(Mismatch) {
        let got = texts.isEmpty ? "no \(kind)" : "\(kind): " + texts.joined(separator: "; ")
        switch expectation {
        case .unchecked: return
        case .none:
            if !texts.isEmpty { throw Mismatch(expected: "no \(kind)", got: got) }
        case .some(let wanted):
            if texts.isEmpty { throw Mismatch(expected: "\(kind): \(wanted[0])", got: got) }
            if let unmet = wanted.first(where: { wanted in !texts.contains { wanted.isMet(by: $0) } }) {
                throw Mismatch(expected: "\(kind): \(unmet)", got: got)
            }
            if let other = texts.first(where: { text in !wanted.contains { $0.isMet(by: text) } }) {
                throw Mismatch(expected: "no other \(kind)", got: other)
            }
        }
    }
}
