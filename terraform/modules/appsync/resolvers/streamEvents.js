import { util } from '@aws-appsync/utils';

/**
 * Query.streamEvents, on the Lambda data source `appsync-request`, which answers `{events, ended}` or
 * `{error: {code, message, retryable}}`.
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
      field: 'streamEvents',
      arguments: ctx.args,
      identity: { sub: ctx.identity.sub, claims: { iss, client_id, token_use, exp } },
    },
  };
}

export function response(ctx) {
  // The text of a failed invocation names functions and ARNs: it stays in the logs.
  if (ctx.error || !ctx.result) {
    util.error('The events could not be read. Try again.', 'internal', null, { retryable: true });
  }
  const { error } = ctx.result;
  if (error) {
    util.error(error.message, error.code, null, { retryable: error.retryable });
  }
  return ctx.result;
}
