(function () {
  "use strict";
  const place = document.getElementById("document");
  window.SwaggerUIBundle({
    url: place.dataset.url,
    domNode: place,
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    displayRequestDuration: true,
    // The session's cookie needs its CSRF token on unsafe methods.
    requestInterceptor: function (request) {
      const found = document.cookie.match(/(?:^|;\s*)steward_csrf=([^;]+)/);
      if (found && !/^(GET|HEAD)$/i.test(request.method || "GET")) request.headers["X-CSRFToken"] = found[1];
      return request;
    },
  });
})();
