/**
 * Mutation.publishToken, on a NONE data source: publishing is the whole effect. The schema lets IAM callers in
 * only, and the worker's role is the one that may call this field.
 */
export function request(ctx) {
  return { payload: ctx.args.event };
}

export function response(ctx) {
  return ctx.result;
}
