import Blocks

/// Series numbers of the block are the references of the index.
extension BlockReader: LabelIndex {}
