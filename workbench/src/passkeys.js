// Passkeys as browsers know them (Web Authentication, level 3).

/** Whether this page may use passkeys: they belong to a name, never to an address. */
export function supportsPasskeys() {
  const named = !/^[\d.]+$|^\[/.test(location.hostname);
  return named && isSecureContext && Boolean(globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON);
}

/** What the browser answers to `options` (JSON), as JSON. Rejects when nobody uses a passkey. */
export async function usePasskey(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
  const credential = await navigator.credentials.get({ publicKey });
  return JSON.stringify(credential.toJSON());
}
