/** What a component shows and events keep current, for as long as it is shown. */

import { useEffect } from "preact/hooks";
import { epoch } from "./live.js";

/** `resource`: listens between `open()` and `close()`, and is read by `reload()`, anew whenever something was missed. */
export function useLive(resource) {
  const turn = epoch.value;
  useEffect(() => {
    resource.open();
    return () => resource.close();
  }, [resource]);
  useEffect(() => {
    resource.reload();
  }, [resource, turn]);
}
