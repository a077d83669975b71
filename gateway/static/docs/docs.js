"use strict";

window.SwaggerUIBundle({
  url: "/v1/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // The badge would ask a host outside.
  validatorUrl: null,
  // Tokens are kept until the page is closed, not in the browser's storage.
  persistAuthorization: false,
});
