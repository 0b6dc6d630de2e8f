import { StringDecoder } from "node:string_decoder";

/**
 * The lines of a stream, empty ones left out. Rejects when the stream breaks, which readline does not tell. Once begun, an error of the
 * stream is nobody else's.
 */
export async function* lines(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  stream.on("error", () => undefined);
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.write(chunk as Buffer)).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) if (line.trim() !== "") yield line;
  }
  if (rest.trim() !== "") yield rest;
}
