/// Numbers a record of the log: 1, 2, 3 ... without gaps. 0 stands for "none yet".
package typealias LSN = UInt64
