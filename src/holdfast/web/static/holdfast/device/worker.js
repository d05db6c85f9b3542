/* The worker that fingerprints a picture, so that the page stays usable meanwhile.

   It is given a file that never left the device, and answers with how far it is and
   then with the fingerprint, or with why there is none. It asks for nothing but the two
   files of ours that it is made of. Ending the worker ends the work: that is "cancel". */
"use strict";
importScripts("pdq.js", "picture.js");

self.addEventListener("message", function (event) {
  function canvasOf(width, height) {
    return new OffscreenCanvas(width, height);
  }
  function tell(share) {
    self.postMessage({ share: share });
  }
  self.fingerprintOfPicture(event.data, canvasOf, tell).then(
    function (found) {
      self.postMessage({ found: found });
    },
    function (problem) {
      self.postMessage({
        problem: problem.message === "too_large" ? "too_large" : "unreadable",
      });
    }
  );
});
