(function () {
  "use strict";
  const place = document.getElementById("document");
  window.Redoc.init(place.dataset.url, { hideHostname: true, expandResponses: "200,201" }, place);
})();
