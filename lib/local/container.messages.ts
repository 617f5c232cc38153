/** What a container is started with. */
export interface ContainerData {
  readonly bundle: string;
  readonly exportName: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMegabytes: number;
  readonly blankTransactionTokens: boolean;
}

/** One invocation; the event is JSON, as it is in Lambda. */
export interface Call {
  readonly id: string;
  readonly event: string;
  /** Until the deadline, from now on: a duration, so that a step of either side's clock changes nothing. */
  readonly remainingMs: number;
}

export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly id: string; readonly result: string }
  | { readonly kind: 'failure'; readonly id: string; readonly error: string };
