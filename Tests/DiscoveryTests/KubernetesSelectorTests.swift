import ConfigTree
import Testing

@testable import Discovery

@Suite("Kubernetes selectors in the configuration")
struct KubernetesSelectorTests {
    @Test(
        "Label selectors that the API server understands are taken",
        arguments: [
            "", "a", "!a", "a=b", "a==b", "a!=b", "a=", "a = b , c", "a in (b)", "a notin (b, c)", "a in (,b)",
            "app.kubernetes.io/name=web,tier!=x", "a>1", "a < 2", "x in (in,notin)", "a=in", " ", "A-b_c.d=E-1_2.3",
        ])
    func goodLabels(text: String) {
        #expect(KubernetesLabelSelector.complaint(text) == nil)
    }

    @Test(
        "Others are not",
        arguments: [
            ("a b", "unexpected \"b\", expected an operator"), (",a", "unexpected \",\", expected a label name"),
            ("a,", "unexpected the end, expected a label name"), ("=b", "expected a label name"),
            ("a in b", "expected \"(\""), ("a in ()", "no values between the parentheses"),
            ("a in (b", "expected \",\" or \")\""), ("a in (b c)", "expected \",\" or \")\""),
            ("!a=b", "expected a comma or the end"), ("!!a", "expected a label name"),
            ("a===b", "expected a value"), ("a=b)", "expected a comma or the end"), ("a>x", "expected an integer"),
            ("in=a", "expected a label name"), ("-a", "\"-a\" is not a valid label name"),
            ("a/b/c=d", "is not a valid label name"), ("X/b", "is not a valid label name"),
            ("a=b/c", "\"b/c\" is not a valid label value"),
            ("a=" + String(repeating: "x", count: 64), "is not a valid label value"), ("a(", "expected an operator"),
        ])
    func badLabels(text: String, words: String) {
        #expect(KubernetesLabelSelector.complaint(text)?.contains(words) == true, "\(text)")
    }

    @Test(
        "Field selectors that the API server understands are taken",
        arguments: [
            "", "a=b", "a==b", "a!=b", "spec.nodeName=n,status.phase!=Failed", "a=", "a=b\\,c", "a=b\\=c", "a=b\\\\",
            "a=b,,", "metadata.name==x",
        ])
    func goodFields(text: String) {
        #expect(KubernetesFieldSelector.complaint(text) == nil)
    }

    @Test(
        "Other field selectors are not",
        arguments: [
            ("a", "no operator in \"a\""), ("a=b,c", "no operator in \"c\""), ("a=b=c", "without a backslash"),
            ("a=b\\x", "invalid escape"), ("a=b\\", "invalid escape"), ("a===b", "without a backslash"),
            ("a!==b", "without a backslash"),
        ])
    func badFields(text: String, words: String) {
        #expect(KubernetesFieldSelector.complaint(text)?.contains(words) == true, "\(text)")
    }

    @Test(
        "A bad selector is a mistake of the configuration, with its place",
        arguments: [
            ("label: 'a in'", "test.yml:2:46: invalid label selector \"a in\": unexpected the end"),
            ("field: 'a'", "test.yml:2:46: invalid field selector \"a\": no operator in \"a\""),
        ])
    func place(key: String, words: String) {
        let error = #expect(throws: (any Error).self) {
            try section("kubernetes_sd_configs:\n- {role: pod, selectors: [{role: pod, \(key)}]}")
        }
        #expect(error.map { String(describing: $0).contains(words) } == true, "\(String(describing: error))")
    }

    @Test("Every byte of a selector flipped is taken or complained of")
    func flips() {
        for good in ["a in (b, c),!d,e==f,g>1", "a=b\\,c,d!=e\\\\"] {
            for index in good.utf8.indices {
                for bit in 0..<8 {
                    var bytes = Array(good.utf8)
                    bytes[good.utf8.distance(from: good.utf8.startIndex, to: index)] ^= 1 << bit
                    let text = String(decoding: bytes, as: UTF8.self)
                    _ = KubernetesLabelSelector.complaint(text)
                    _ = KubernetesFieldSelector.complaint(text)
                }
            }
        }
    }
}
