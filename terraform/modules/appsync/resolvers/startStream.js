import { util } from '@aws-appsync/utils';

/**
 * Mutation.startStream, on the Lambda data source `appsync-request`, which checks identity and arguments and
 * answers `{sessionId}` or `{error: {code, message, retryable, retryAfter}}`, the last only when it is known.
 */
export function request(ctx) {
  // AppSync lets id tokens in too. Those are made for the client, not for an API.
  if (ctx.identity.claims.token_use !== 'access') {
    util.unauthorized();
  }
  const { iss, client_id, token_use, exp } = ctx.identity.claims;
  return {
    operation: 'Invoke',
    payload: {
      field: 'startStream',
      arguments: ctx.args,
      identity: { sub: ctx.identity.sub, claims: { iss, client_id, token_use, exp } },
    },
  };
}

export function response(ctx) {
  // The text of a failed invocation names functions and ARNs: it stays in the logs.
  if (ctx.error || !ctx.result) {
    util.error('The request could not be queued. Try again.', 'internal', null, { retryable: true });
  }
  const { error } = ctx.result;
  if (error) {
    const { retryable, retryAfter } = error;
    util.error(error.message, error.code, null, retryAfter ? { retryable, retryAfter } : { retryable });
  }
  return ctx.result;
}
