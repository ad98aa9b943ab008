export type { ArrivedAnswer, BodySink, Door, Passage, ProxyRequest, StoredAnswer, UpstreamPassage } from "./door.ts";
