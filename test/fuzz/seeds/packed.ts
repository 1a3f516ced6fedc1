/**
 * One small tar archive (a kernel release and a log that repeats itself), packed by xz, bzip2 and zstd themselves: their real block
 * types, which the writers in archive.ts do not make.
 */

const decode = (text: string): Uint8Array => Buffer.from(text, "base64");

export const packedXz: Uint8Array = decode(
  "/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4E//Aq9dADoLvBunjDRE4cIHdej848CShJTXnC5NqNR3dTetET++vzs1S6cROjIH9VSRuLa3fwV6" +
    "3RnWk4wY3wAbVedqmGbKoeDLrjMLkeDuY7OLy9caRZwd2+LSP53XIW4QsuUyibSt7f/kFL0KBZj15cYB2UcmpBNUydL14rnXx4GD8lSBRB1N" +
    "Vb584qZaElIGSWNA98QU/B5ZaMJ2HanLhFfN0XeqCC+aynRr1SjxN7qUgg0TWhrzFoazElmrUe2WaUdtHwlAwS72nkVy0pX3HIqI8SFIQyJQ" +
    "7he9H1dGgpKR88/Lny+IvT7VIYda/cR0c8WlR1AiMv41tlNCUyH9Fbba89zBmyQ8Z8RPL/EmG3fzOnoL+wFk/MSITyxoFnX4q763oLeEbpRE" +
    "aUertijMAzmzrMgXoQHpo4/F+IXKV3weIS48fjc+DbYuk1Cm8rRaUgcaiu5ZWIKc/nzPtBpcphxmQR1SylOZd/7+Z2yhGnPy6UUaQUd4H74t" +
    "6kXY2Spxm03OBGeS9fp001KyYsXK3hB7haOtevv0I/gNECPXHZJcYP+VPFrgnsgeymexK0mFnU4Pj232V4ijlR0XWl83HPDIEGybkbdkDQEX" +
    "amwcgvJt8mwuuK8BtFBjNSWUVo76uX/Yri5zdBPhw6rjsTjL3kSKgDeis8CVr3l6lGQLdsPCY6CAPqL5+v2ivggAWMQb2ftwF5heEp9nlt30" +
    "nT11xir1pax8aq2dsjtRgUNCyLsMZs3tYiooZXogwdBa2YK/qpIxhP/RsyaOkqCJBGj+8WdkNz4IXTKyp8JdgAYPEdL4fgA3L48RuxmWb2Yb" +
    "EbASBUT15k9M8oZ4JZqRygs25em5PDdPu0NDTdUE8B/4Z8mCwsWXfEUw2qVxyQQhkuKjBvrPSA+AwbmLYNHQL/TccH2IQAAAMKCHgQABxwWA" +
    "oAEAu69iKj4wDYsCAAAAAAFZWg==",
);
export const packedBzip2: Uint8Array = decode(
  "QlpoOTFBWSZTWbksgHAAEeF/hdmQAEBABf/wAgUWMf/t32AAAICAAIhQBN5m4c1d0GgjgAxTJPT1Ko0GaT0E0BgHqRgCBqejRMSlAEwJgAEw" +
    "ACCVP9VJQnoIaZMCBgmQMhphAwAAAAA0GgDQDQBSpIGpqep+qTzUNBqMjCMxI8TRP1O6Pnw7cLRxrybRyssKZZqq2YjoZcXF6MtHoeSsg51s" +
    "xjEboDmo4xihlIN25bvbss6ElnUFniAzqCzqCzqCzoQWdQWcKCzqCzlQXdQWdlBdKCzuoLqILOyuombq0KbqIm6tA0IFEDvIFh4gAk8Z2BBA" +
    "iTBEBFKjEUFASBAYAhAgTACYQJAJaYxnIBCREkhIYJCIDCEkRhYYwxhhhjFgVeAq9Yq8RV9BV5xV2Cr7CraKuwVe/p79b7MZ4xhqsRCCPzG3" +
    "fQJBBGzaF9J2q0TcEgELo5tdRrrrroKv3kb+oVdfw83PtG104bMujV6sbterdr8+GrBGxCUFjOBPYACStFecVGMZywASfeACS6gSGoldQs6g" +
    "FnQLOYY6HCBIOiRpiAGISyxaMWc5oytTGjE0ZmGvnZ02GrOtpATwsDokbYQrnl3i3ePjPD5dPLe5kZMWnJfRmK5MMmWBFgXdnfZCOmI4Ryqt" +
    "SC9OM3c5eZizqcpHRZhhJDuw4XpPZFuG0DjDEhV8yrzNjnKeidgtKgF1ALOi0MltC53E5PCBYpVXHkknZCLywRkmKeiLmn21TdXnBOhMkGwF" +
    "I5VosKJTic6Z0pQgVN6U4qsZjv76yKJkFnQJZ0EzskWlXwxCnccIaWHI3KHWHRtbIBMGXe7jFFmIyuZn7pb1mNzGAw9NaI6BTAN3Imm0Crlo" +
    "qarp0DIPFJYdQVu4WFzoE0TUbqHncNlXurzL3BMAs6ks6gFnChiIOzlthAxpqYBIDl0q293lXmAAk0goGcrOczl4dWbeL2YbpxFQ3opDbs3Z" +
    "3beHWjlOHZtqW60beIxeGG06bvZt03TlYDDdm2rttt+4AEmgASV1Ek7iABLIdQqxGgVdUfHX3CrIKsxV99mDs7RV/WBVn4hVk2irrhV4vxnp" +
    "vFW0Vcwq0FXeKuG5olX942BVn1ir8CrRgKsTeKsskZ7EbgqynlFW6N/MFWx+00jwjV5gq2/mZ8OGXdHlmpGoVf/6py5Zb44dIq5xVmFXOKuU" +
    "axVw5CrQVc040P0LuSKcKEhclkA4AA==",
);
export const packedZstd: Uint8Array = decode(
  "KLUv/WQAT1UWAIaqYx5wa9IBQERaiAZwdHhcqSJwiKTcSaYtM8Oy/ntPIAF+AE8ATgADFDDgADlAkolDw0PBQlkYC0kAAkORPBaF0qA4kkWh" +
    "sCQJjUWiSAaaKIyFRQLhwFggsCF6idFYeDiUBwTAAkbgMEGIjm9feSiUheJ4NIgmsVAYDoWhriYeEQ86iYOGo8GYYpHEwaIkFmRpNBxIkjgU" +
    "y8MBQSpB+HOIVB0iiSVHOm9fRKqb89mMf6hW8nSpzrbdzfm9iOrV2hhrDLHUlzya2s5mR+f8vOj146MyNqpLmtSfydjZeb2I6ue7salUsmzt" +
    "fDufmxfV6zMmgCYBdq/zMy+ievH4zIzpUF8lTavpbLwd3fk5L3r92EfG2Eo1q+Tx9OdMtzOfl3kR1Y/2/YxtVDolz9d8vrEznZu+iKbe89GM" +
    "eah8yWKVPtNYPE08HorFwc9CmtTXV9NZz3768ltEpvo7935M7aKWTEuW2Jod/RvPPryhs4gtvmYeb2iaWFJJsqWdeTv6vPQiXt2Yzze+qUYl" +
    "a7zSnX0CgROoMUiuliSpsXVxSwpSkAwHIhAEEAgEQUJiFSAIwQmBghD849Ca5hz9x4YMocsDx5yUxSoNyGp0/q2qjCYPRLIwxCMNkYnGbCMZ" +
    "1HCOaSIjjWAkCkc+8khBDIp8m6nihwdMkYIprwQAPygR9McQHjAhhiZgfzm8KIIJD8LTR4MLEbiIQhOQfxTIhRUxlCCDQ3+EBC1ggrqwYIUQ" +
    "nPsiJHCAEXg4FyrEUKL4L4IVQngMi2vBghWD8eF0HvTJH9PrCmPPCs3T4Ftg7k2gfRDcvQkkwh4LIHkoXOHsntBCEYqAcPzxDW64aO8lz8YT" +
    "7ZeXQZ6Fy+yLb8Dif1SeRVbLS0MEUPr6Af682gs+WNgo6aA+7EImsN0N3QjXtSNpOLSsPvoAbY3KI2drZNcw/L9USUddNquJQF4RmqV/JuQ=",
);
