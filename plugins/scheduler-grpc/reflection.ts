import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from "../../proto/gen/grpc/reflection/v1/reflection.js";
import type { Descriptors } from "./descriptors.js";

type ReflectionStream = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

/** `grpc.reflection.v1.ServerReflection`, and v1alpha, whose messages are the same: tools such as grpcurl ask for it. */
export class Reflection {
  private loaded: Promise<Descriptors> | undefined;

  /**
   * @param services full names of what the server serves
   * @param load reads the descriptors; called at the first question, since most masters are never asked
   */
  constructor(
    private readonly services: readonly string[],
    private readonly load: () => Promise<Descriptors>,
  ) {}

  serve(stream: ReflectionStream): void {
    let answered = Promise.resolve();
    stream.on("data", (request: ServerReflectionRequest) => {
      // Answers come in the order of the questions; a client that does not read them is not read either.
      stream.pause();
      answered = answered
        .then(() => this.answer(request))
        .then((response) => {
          stream.write({ valid_host: request.host ?? "", original_request: request, ...response });
          stream.resume();
        })
        .catch(() => {
          stream.emit("error", { code: status.INTERNAL, details: "the descriptors cannot be read" });
        });
    });
    stream.on("end", () => void answered.then(() => stream.end()));
  }

  private async answer(request: ServerReflectionRequest): Promise<ServerReflectionResponse> {
    if (request.list_services !== undefined)
      return { list_services_response: { service: this.services.map((name) => ({ name })) } };
    this.loaded ??= this.load();
    const descriptors = await this.loaded;
    const { file_by_filename: file, file_containing_symbol: symbol } = request;
    if (file !== undefined) return files(descriptors.file(file), `file ${file}`);
    if (symbol !== undefined) return files(descriptors.fileContaining(symbol), `symbol ${symbol}`);
    const extended = request.all_extension_numbers_of_type;
    // Nothing of ours is extended.
    if (extended !== undefined && descriptors.hasMessage(extended))
      return { all_extension_numbers_response: { base_type_name: extended, extension_number: [] } };
    if (extended !== undefined) return files(undefined, `message ${extended}`);
    const extension = request.file_containing_extension;
    if (extension !== undefined)
      return files(
        undefined,
        `extension ${extension.extension_number ?? 0} of ${extension.containing_type ?? ""}`,
      );
    return {
      error_response: { error_code: status.INVALID_ARGUMENT, error_message: "the request asks for nothing" },
    };
  }
}

function files(file_descriptor_proto: Buffer[] | undefined, what: string): ServerReflectionResponse {
  if (file_descriptor_proto !== undefined) return { file_descriptor_response: { file_descriptor_proto } };
  return { error_response: { error_code: status.NOT_FOUND, error_message: `no ${what}` } };
}
