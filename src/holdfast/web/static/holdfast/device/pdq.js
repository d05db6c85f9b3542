/* PDQ of a picture, computed where the picture is.

   For what: a person finds a picture without sending it to anybody. This file takes
   rows of pixels and gives the fingerprint; it reads no file, keeps no pixel longer
   than the row, and sends nothing. The rule is that of holdfast/signals/pdq.py and
   grid.py, which a test holds this equal to, and the names of the steps are theirs:
   two passes of a box filter and the choice of 64 by 64 cells are one weighted sum, so
   each row is read once and only 64 lines as wide as the picture are held. */
(function (scope) {
  "use strict";
  var GRID = 64;
  var FREQUENCIES = 16; /* Frequencies 1 to 16 of each axis: 256 of them, a bit each. */
  var MIN_SIDE = 5; /* pixels; a shorter picture has no fingerprint at all. */
  var MIN_SIDE_COMPARED = 32; /* pixels; below it a fingerprint says too little. */
  var QUALITY_DIVISOR = 90;
  var MAX_QUALITY = 100;

  /* First and end (exclusive) of the box filter's window on an axis. */
  function boxWindow(position, length) {
    var full = Math.floor((length + 2 * GRID - 1) / (2 * GRID));
    var half = Math.floor((full + 2) / 2);
    return [Math.max(0, position + half - full), Math.min(length, position + half)];
  }

  /* For each of 64 lines: the first pixel that it weighs, and the weights from there. */
  function bandsOf(length) {
    var bands = [];
    for (var line = 0; line < GRID; line += 1) {
      var centre = Math.floor(((line + 0.5) * length) / GRID);
      var outer = boxWindow(centre, length);
      var start = boxWindow(outer[0], length)[0];
      var end = boxWindow(outer[1] - 1, length)[1];
      var weights = new Float64Array(end - start);
      for (var position = outer[0]; position < outer[1]; position += 1) {
        var inner = boxWindow(position, length);
        var share = 1 / (inner[1] - inner[0]) / (outer[1] - outer[0]);
        for (var at = inner[0]; at < inner[1]; at += 1) weights[at - start] += share;
      }
      bands.push({ first: start, weights: weights });
    }
    return bands;
  }

  /* A picture of this size, whose rows are handed to add() from the top down. */
  function Pdq(width, height) {
    this.width = width;
    this.height = height;
    this.row = 0;
    this.luma = new Float64Array(width);
    this.rowBands = bandsOf(height);
    this.columnBands = bandsOf(width);
    this.lines = [];
    for (var line = 0; line < GRID; line += 1) {
      this.lines.push(new Float64Array(width));
    }
  }

  /* Take whole rows of red, green, blue and opacity, a byte each. */
  Pdq.prototype.add = function (pixels) {
    var rows = pixels.length / 4 / this.width;
    for (var row = 0; row < rows; row += 1) {
      this.takeLuma(pixels, row * this.width * 4);
      this.addRow();
      this.row += 1;
    }
  };

  /* ITU-R BT.601 with the integers that Pillow and libjpeg use. */
  Pdq.prototype.takeLuma = function (pixels, at) {
    for (var column = 0; column < this.width; column += 1, at += 4) {
      this.luma[column] =
        (pixels[at] * 19595 + pixels[at + 1] * 38470 + pixels[at + 2] * 7471 + 32768) >>
        16;
    }
  };

  Pdq.prototype.addRow = function () {
    for (var line = 0; line < GRID; line += 1) {
      var band = this.rowBands[line];
      var place = this.row - band.first;
      if (place < 0 || place >= band.weights.length) continue;
      var weight = band.weights[place];
      var sums = this.lines[line];
      for (var column = 0; column < this.width; column += 1) {
        sums[column] += weight * this.luma[column];
      }
    }
  };

  Pdq.prototype.grid = function () {
    var bands = this.columnBands;
    return this.lines.map(function (sums) {
      return bands.map(function (band) {
        var total = 0;
        for (var at = 0; at < band.weights.length; at += 1) {
          total += band.weights[at] * sums[band.first + at];
        }
        return total;
      });
    });
  };

  /* The fingerprint: {forms: eight of 64 hexadecimal digits, quality: 0 to 100}. The
     first form is the picture as it is, the others are it turned and mirrored, in
     Meta's order. */
  Pdq.prototype.finish = function () {
    var shortest = Math.min(this.width, this.height);
    if (shortest < MIN_SIDE) {
      var none = new Array(65).join("0");
      return { forms: [none, none, none, none, none, none, none, none], quality: 0 };
    }
    var grid = this.grid();
    return {
      forms: turned(frequenciesOf(grid)).map(toHex),
      quality: shortest < MIN_SIDE_COMPARED ? 0 : qualityOf(grid),
    };
  };

  function frequenciesOf(grid) {
    var wave = [];
    for (var i = 1; i <= FREQUENCIES; i += 1) {
      var row = [];
      for (var j = 0; j < GRID; j += 1) {
        row.push(
          Math.sqrt(2 / GRID) * Math.cos((Math.PI / (2 * GRID)) * i * (2 * j + 1))
        );
      }
      wave.push(row);
    }
    return product(product(wave, grid), transposed(wave));
  }

  function product(left, right) {
    return left.map(function (row) {
      return right[0].map(function (_, column) {
        var total = 0;
        for (var at = 0; at < row.length; at += 1) total += row[at] * right[at][column];
        return total;
      });
    });
  }

  function transposed(matrix) {
    return matrix[0].map(function (_, column) {
      return matrix.map(function (row) {
        return row[column];
      });
    });
  }

  /* A turn or flip of the picture is a transpose and sign flips of its frequencies:
     a flip changes the sign of the odd ones, which stand at even places. */
  function turned(b) {
    function flipped(matrix, rows, columns) {
      return matrix.map(function (row, i) {
        return row.map(function (value, j) {
          var sign = (rows && i % 2 === 0 ? -1 : 1) * (columns && j % 2 === 0 ? -1 : 1);
          return sign * value;
        });
      });
    }
    return [
      b,
      transposed(flipped(b, false, true)),
      flipped(b, true, true),
      transposed(flipped(b, true, false)),
      flipped(b, true, false),
      flipped(b, false, true),
      transposed(b),
      transposed(flipped(b, true, true)),
    ];
  }

  /* A bit is set where a frequency is above the lower median; bit 255 comes first. */
  function toHex(frequencies) {
    var flat = [].concat.apply([], frequencies);
    var ordered = flat.slice().sort(function (one, other) {
      return one - other;
    });
    var lowerMedian = ordered[flat.length / 2 - 1];
    var digits = "";
    for (var at = flat.length - 4; at >= 0; at -= 4) {
      var digit = 0;
      for (var bit = 3; bit >= 0; bit -= 1) {
        digit = digit * 2 + (flat[at + bit] > lowerMedian ? 1 : 0);
      }
      digits += digit.toString(16);
    }
    return digits;
  }

  /* How much there is to see: the gradients of the grid, small ones left out. */
  function qualityOf(grid) {
    var total = 0;
    for (var i = 0; i < GRID; i += 1) {
      for (var j = 0; j < GRID; j += 1) {
        if (i) total += gradient(grid[i][j] - grid[i - 1][j]);
        if (j) total += gradient(grid[i][j] - grid[i][j - 1]);
      }
    }
    return Math.min(MAX_QUALITY, Math.floor(total / QUALITY_DIVISOR));
  }

  function gradient(difference) {
    return Math.abs(Math.trunc((difference * 100) / 255));
  }

  scope.Pdq = Pdq;
})(self);
