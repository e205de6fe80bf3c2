/** Query.protocol, on a NONE data source. */
export function request() {
  return { payload: 'llm-stream.v1' };
}

export function response(ctx) {
  return ctx.result;
}
