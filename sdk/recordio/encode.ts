/** Puts bytes into RecordIO form: their length in decimal, a newline, the bytes. */
export function encodeRecord(record: Uint8Array): Buffer {
  const header = `${record.length}\n`;
  const framed = Buffer.allocUnsafe(header.length + record.length);
  framed.write(header, 0, "latin1");
  framed.set(record, header.length);
  return framed;
}
