// The part of @aws-appsync/utils that the resolvers use. Anything else is undefined, so that using it fails here
// before it is deployed. `effects` is for the host, not for resolvers.

export const effects = { appended: [], filter: null };

const fault = (message, errorType = null, data = null, errorInfo = null) => ({
  message: String(message),
  errorType,
  data,
  errorInfo,
});

export const util = {
  error: (...args) => {
    throw { appsync: fault(...args) };
  },
  unauthorized: () => {
    throw { appsync: { unauthorized: true } };
  },
  appendError: (...args) => {
    effects.appended.push(fault(...args));
  },
  transform: {
    toSubscriptionFilter: (conditions, ...rest) => {
      if (rest.length > 0) {
        throw new Error('toSubscriptionFilter: only its first argument is supported here');
      }
      const filters = [];
      for (const [fieldName, operators] of Object.entries(conditions)) {
        for (const [operator, value] of Object.entries(operators)) {
          filters.push({ fieldName, operator, value });
        }
      }
      return { filterGroup: [{ filters }] };
    },
  },
};

export const extensions = {
  setSubscriptionFilter: (filter) => {
    effects.filter = filter;
  },
};
