export { EventStream, type EventStreamOptions, type StreamEnd } from "./event-stream.js";
export { HttpDate } from "./http-date.js";
export { answeredByLeadership, leaderLocation, masterLocation } from "./leadership.js";
export {
  answerFormat,
  MEDIA_TYPES,
  type MessageFormat,
  type ReadCall,
  readCall,
} from "./message-format.js";
export { OncePerPeer } from "./once-per-peer.js";
export { type OutboundOptions, outboundAgent } from "./outbound-agent.js";
export { acceptsGzip, acceptsMediaType } from "./quality-list.js";
export { type Answer, methodNotAllowed, sendMessage } from "./replies.js";
export { SharedReads } from "./shared-reads.js";
export { type NewSubscriber, Subscribers, type SubscribersOptions } from "./subscribers.js";
export { TurnBudget } from "./turn-budget.js";
