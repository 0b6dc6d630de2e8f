import * as codecs from "../../proto/gen/json/mesos/v1/agent/agent.js";
import {
  ProcessIO_Control_Type as ControlType,
  ProcessIO_Data_Type as DataType,
  type ProcessIO,
  ProcessIO_Type,
} from "../../proto/gen/mesos/v1/agent/agent.js";
import type { OutputChunk } from "../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { MessageFormat } from "../../sdk/http/index.js";
import { encodeRecord } from "../../sdk/recordio/index.js";

/** One record of a stream. */
export function encodeProcessIo(message: ProcessIO, format: MessageFormat): Buffer {
  return encodeRecord(
    format === "json" ? Buffer.from(codecs.ProcessIO.json.write(message)) : codecs.ProcessIO.encode(message),
  );
}

export const outputMessage = ({ stream, data }: OutputChunk): ProcessIO => ({
  type: ProcessIO_Type.DATA,
  data: { type: stream === "stdout" ? DataType.STDOUT : DataType.STDERR, data },
});

export const heartbeat = (milliseconds: number): ProcessIO => ({
  type: ProcessIO_Type.CONTROL,
  control: {
    type: ControlType.HEARTBEAT,
    heartbeat: { interval: { nanoseconds: BigInt(milliseconds) * 1_000_000n } },
  },
});

/** What a writer asks for. */
export type InputStep =
  | { readonly kind: "data"; readonly data: Buffer }
  | { readonly kind: "end" }
  | { readonly kind: "size"; readonly rows: number; readonly columns: number }
  | { readonly kind: "heartbeat" };

/** Throws TEPUI_CALL_INVALID in Mesos's words. Source: src/slave/containerizer/mesos/io/switchboard.cpp. */
export function inputStep(message: ProcessIO | undefined): InputStep {
  if (message === undefined) throw invalid("Expecting 'attach_container_input.process_io' to be present");
  switch (message.type) {
    case undefined:
      throw invalid("Expecting 'process_io.type' to be present");
    case ProcessIO_Type.DATA:
      return dataStep(message);
    case ProcessIO_Type.CONTROL:
      return controlStep(message);
    default:
      throw invalid("'process_io.type' is unknown");
  }
}

function dataStep({ data }: ProcessIO): InputStep {
  if (data === undefined) throw invalid("Expecting 'process_io.data' to be present");
  if (data.type === undefined) throw invalid("Expecting 'process_io.data.type' to be present");
  if (data.type !== DataType.STDIN) throw invalid("Expecting 'process_io.data.type' to be 'STDIN'");
  if (data.data === undefined) throw invalid("Expecting 'process_io.data.data' to be present");
  return data.data.length === 0 ? { kind: "end" } : { kind: "data", data: data.data };
}

function controlStep({ control }: ProcessIO): InputStep {
  if (control === undefined) throw invalid("Expecting 'process_io.control' to be present");
  switch (control.type) {
    case undefined:
      throw invalid("Expecting 'process_io.control.type' to be present");
    case ControlType.TTY_INFO: {
      if (control.tty_info === undefined) {
        throw invalid("Expecting 'process_io.control.tty_info' to be present");
      }
      const { window_size: size } = control.tty_info;
      if (size === undefined) throw invalid("Expecting 'tty_info.window_size' to be present");
      return { kind: "size", rows: size.rows ?? 0, columns: size.columns ?? 0 };
    }
    case ControlType.HEARTBEAT:
      if (control.heartbeat === undefined) {
        throw invalid("Expecting 'process_io.control.heartbeat' to be present");
      }
      return { kind: "heartbeat" };
    default:
      throw invalid("'process_io.control.type' is unknown");
  }
}

const invalid = (detail: string): TepuiError => new TepuiError("TEPUI_CALL_INVALID", { detail });
