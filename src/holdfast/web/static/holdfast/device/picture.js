/* From a file that somebody chose to its fingerprint, without a copy of it anywhere.

   For what: decode the picture as the browser shows it (turned upright, its colours
   those of its profile, transparency over white) and hand it to pdq.js in strips, so that a telephone never holds a
   second copy of it. A picture with more pixels than a telephone can hold is decoded
   smaller; its fingerprint then drifts by a few bits at most. Never does: send, store
   or show the picture. Runs in a worker, or in the page where a browser's workers
   cannot draw. */
(function (scope) {
  "use strict";
  var MOST_PIXELS = 25000000; /* Decoded whole: 100 MB at four bytes a pixel. */
  var LONGEST_SIDE = 8192; /* pixels; the widest canvas that old telephones draw. */
  var SMALLER_SIDE = 1536; /* pixels across, of a picture that is decoded smaller. */
  var STRIP_PIXELS = 524288; /* Read at a time: 2 MB. */
  var HEADER_BYTES = 262144; /* Where a JPEG says its size, behind its previews. */
  var MOST_BYTES = 67108864; /* The server reads no larger file, either. */

  function fingerprint(file, canvasOf, tell) {
    if (file.size > MOST_BYTES) return Promise.reject(new Error("too_large"));
    return sizeOf(file)
      .then(function (size) {
        return decode(file, size);
      })
      .then(function (bitmap) {
        return readStrips(bitmap, canvasOf, tell);
      });
  }

  /* {width, height} as stored, from the first bytes of a JPEG or PNG; else null. */
  function sizeOf(file) {
    return file
      .slice(0, HEADER_BYTES)
      .arrayBuffer()
      .then(function (buffer) {
        var data = new DataView(buffer);
        return sizeOfPng(data) || sizeOfJpeg(data);
      });
  }

  function sizeOfPng(data) {
    if (data.byteLength < 24 || data.getUint32(0) !== 0x89504e47) return null;
    return { width: data.getUint32(16), height: data.getUint32(20) };
  }

  function sizeOfJpeg(data) {
    if (data.byteLength < 4 || data.getUint16(0) !== 0xffd8) return null;
    var at = 2;
    while (at + 9 < data.byteLength && data.getUint8(at) === 0xff) {
      var marker = data.getUint8(at + 1);
      /* Start of frame, but for the three of that range that are something else. */
      var isFrame = marker >= 0xc0 && marker <= 0xcf;
      if (isFrame && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
        return { height: data.getUint16(at + 5), width: data.getUint16(at + 7) };
      }
      at += marker === 0xff ? 1 : 2 + data.getUint16(at + 2);
    }
    return null;
  }

  function decode(file, size) {
    var plain = { imageOrientation: "from-image" };
    var isLarge =
      size &&
      (size.width * size.height > MOST_PIXELS ||
        Math.max(size.width, size.height) > LONGEST_SIDE);
    if (isLarge) return createImageBitmap(file, smaller(plain, size));
    return createImageBitmap(file, plain).catch(function () {
      /* No memory for all of it, or a browser that does not know the options. */
      return createImageBitmap(file, size ? smaller({}, size) : {});
    });
  }

  function smaller(options, size) {
    var shorter = Math.min(size.width, size.height);
    var longer = Math.max(size.width, size.height);
    var factor = Math.min(1, SMALLER_SIDE / shorter, LONGEST_SIDE / longer);
    /* One side alone, and as much of it whichever way up the picture is shown: the
       other side follows. */
    return Object.assign({}, options, {
      resizeWidth: Math.max(1, Math.round(shorter * factor)),
      resizeQuality: "high",
    });
  }

  function readStrips(bitmap, canvasOf, tell) {
    var width = bitmap.width;
    var height = bitmap.height;
    var rows = Math.max(1, Math.min(height, Math.floor(STRIP_PIXELS / width)));
    var canvas = canvasOf(width, rows);
    var pen = canvas.getContext("2d", { willReadFrequently: true });
    var pdq = new scope.Pdq(width, height);
    pen.imageSmoothingEnabled = false;

    function next(top) {
      var count = Math.min(rows, height - top);
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, width, count);
      pen.drawImage(bitmap, 0, top, width, count, 0, 0, width, count);
      pdq.add(pen.getImageData(0, 0, width, count).data);
      tell((top + count) / height);
      if (top + count < height) {
        /* A pause, so that a page without a worker still answers. */
        return new Promise(function (go) {
          setTimeout(go, 0);
        }).then(function () {
          return next(top + count);
        });
      }
      bitmap.close();
      return pdq.finish();
    }
    return Promise.resolve(0).then(next);
  }

  scope.fingerprintOfPicture = fingerprint;
})(self);
