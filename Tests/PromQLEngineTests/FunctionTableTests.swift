import PromQLSyntax
import Testing

@testable import PromQLEngine

@Suite struct FunctionTableTests {
    @Test("each function the parser knows has a kernel")
    func kernels() {
        for signature in FunctionSignature.all {
            #expect(FunctionTable.named(signature.name) != nil, "\(signature.name)")
        }
    }

    @Test("each kernel belongs to a function the parser knows, and names are unique")
    func signatures() {
        for definition in FunctionTable.all {
            #expect(FunctionSignature.named(definition.name) != nil, "\(definition.name)")
        }
        #expect(Set(FunctionTable.all.map(\.name)).count == FunctionTable.all.count)
    }

    @Test("a kernel gives what the signature says: scalars for scalar functions, windows for range vectors")
    func types() {
        for signature in FunctionSignature.all {
            switch FunctionTable.named(signature.name)?.kernel {
            case .scalar?: #expect(signature.returnType == .scalar, "\(signature.name)")
            case .window?:
                #expect(signature.argumentTypes.contains(.matrix), "\(signature.name)")
                #expect(signature.returnType == .vector, "\(signature.name)")
            case .map?, .vector?: #expect(signature.returnType == .vector, "\(signature.name)")
            case nil: break
            }
        }
    }
}
