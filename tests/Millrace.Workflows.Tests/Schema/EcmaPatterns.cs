using Millrace.Workflows.Schema.Patterns;

namespace Millrace.Workflows.Tests.Schema;

public sealed class EcmaPatterns
{
    [Theory]
    [InlineData("^.$", "😀", true)]
    [InlineData("^.$", "\n", false)]
    [InlineData("^.$", "\u2028", false)]
    [InlineData("^[^a]$", "😀", true)]
    [InlineData("^[😀-😂]$", "😁", true)]
    [InlineData("^[😀-😂]$", "😃", false)]
    [InlineData("^[\\u{1F600}-\\u{1F602}]$", "😁", true)]
    [InlineData("^\\ud83d\\ude00$", "😀", true)]
    [InlineData("^😀{2}$", "😀😀", true)]
    [InlineData("^😀{2}$", "😀😁", false)]
    [InlineData("^\\P{L}$", "😀", true)]
    [InlineData("^\\p{Lu}$", "𝔸", true)]
    [InlineData("^\\p{Script=Greek}+$", "αβγ", true)]
    [InlineData("^\\p{sc=Grek}+$", "abc", false)]
    [InlineData("^\\p{General_Category=Decimal_Number}$", "৪", true)]
    [InlineData("^[\\p{L}\\d-]+$", "aé-1", true)]
    [InlineData("^[\\w-.]+$", "a-b.c", true)]
    [InlineData("^[\\D]$", "1", false)]
    [InlineData("^[\\b]$", "\b", true)]
    [InlineData("\\bcat\\b", "a cat.", true)]
    [InlineData("\\bcat\\b", "concat", false)]
    [InlineData("a\\Bb", "ab", true)]
    [InlineData("^é\\b", "éa", true)]
    [InlineData("^abc$", "abc\n", false)]
    [InlineData("^[]$", "", false)]
    [InlineData("^[^]$", "😀", true)]
    [InlineData("^(?:(a)|b)\\1$", "b", true)]
    [InlineData("^(?:(a)|b)\\1$", "aa", true)]
    [InlineData("^(?:(a)|b)\\1$", "a", false)]
    [InlineData("^(?<q>['\"]).*\\k<q>$", "'x'", true)]
    [InlineData("^(?<q>['\"]).*\\k<q>$", "'x\"", false)]
    [InlineData("^(x)(?<n>a)(b)\\1\\2\\3$", "xabxab", true)]
    [InlineData("(?<=\\$)\\d+(?!\\.)", "$42", true)]
    [InlineData("(?<!a)b", "ab", false)]
    [InlineData("^a{2,3}?$", "aaa", true)]
    [InlineData("^a{2,}$", "aaaa", true)]
    [InlineData("^\\cJ\\x41\\0$", "\nA\0", true)]
    [InlineData("^\\/\\-\\@$", "/-@", true)]
    [InlineData("^#\\s#$", "#\ufeff#", true)]
    [InlineData("^\\s$", "\u180e", false)]
    [InlineData("a||b", "", true)]
    [InlineData("", "anything", true)]
    public void Mean_what_ECMA_262_says(string pattern, string text, bool matches) =>
        Assert.Equal(matches, EcmaPattern.Parse(pattern).IsMatch(text));

    [Theory]
    [InlineData("(a", "expected ')' (at character 3)")]
    [InlineData("a)", "unexpected ')' (at character 2)")]
    [InlineData("[a", "expected ']' (at character 3)")]
    [InlineData("*a", "'*' repeats nothing; write \\* for the character (at character 1)")]
    [InlineData("a**", "'*' repeats nothing; write \\* for the character (at character 3)")]
    [InlineData("a{2,1}", "the numbers of a repetition are out of order (at character 7)")]
    [InlineData("a{x}", "expected a number after '{'; write \\{ for the character (at character 3)")]
    [InlineData("a}", "unexpected '}'; write \\} for the character (at character 2)")]
    [InlineData("[z-a]", "a range of characters is out of order (at character 5)")]
    [InlineData("\\a", "\\a is no escape of ECMA-262 (at character 3)")]
    [InlineData("\\1", "there is no group 1 (at character 3)")]
    [InlineData("(?<a>.)(?<a>.)", "two groups have the same name (at character 13)")]
    [InlineData("\\k<a>", "no group has that name (at character 6)")]
    [InlineData("(?=a)*", "an assertion cannot be repeated (at character 6)")]
    [InlineData("(?i)a", "unknown kind of group; ECMA-262 has (?:…), (?=…), (?!…), (?<=…), (?<!…) and (?<name>…) (at character 3)")]
    [InlineData("\\u{110000}", "expected a code point of at most 10FFFF (at character 11)")]
    [InlineData("\\xZZ", "expected 2 hexadecimal digits (at character 3)")]
    [InlineData("\\", "unexpected end (at character 2)")]
    [InlineData("\\p{Emoji}", "the Unicode property 'Emoji' is not known here")]
    public void That_are_wrong_are_refused_with_their_place(string pattern, string message) =>
        Assert.Equal(message, Assert.Throws<EcmaPatternException>(() => EcmaPattern.Parse(pattern)).Message);

    [Fact]
    public void With_groups_nested_too_deep_are_refused()
    {
        var pattern = new string('(', 200) + new string(')', 200);

        Assert.Throws<EcmaPatternException>(() => EcmaPattern.Parse(pattern));
    }

    [Fact]
    public void Of_any_text_are_accepted_or_refused()
    {
        const string Alphabet = "ab(?:<=!>)[^]-{1,2}|*+?\\kdDbBpPcuxL{}01$^.\ud83d\ude00";
        var random = new Random(2);
        var (accepted, refused) = (0, 0);

        for (var i = 0; i < 30_000; i++)
        {
            var text = string.Create(random.Next(1, 12), random, (span, r) => r.GetItems(Alphabet.AsSpan(), span));
            try
            {
                EcmaPattern.Parse(text);
                accepted++;
            }
            catch (EcmaPatternException e)
            {
                // What the translation accepts, the engine has to accept too.
                Assert.DoesNotContain("the engine refuses it", e.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.True(accepted > 1_000 && refused > 1_000, $"{accepted} accepted, {refused} refused");
    }

    [Fact]
    public void Cover_every_code_point_once_in_a_set_or_in_its_complement()
    {
        var set = CodePointSet.Parse("0-40 FFFE-10001 103FF-10401 1F600-1F602 20000-2FFFF 10FFFF");
        var (inside, outside) = (EcmaPatternOf(set), EcmaPatternOf(set.Complement()));

        for (var point = 0; point <= CodePointSet.Last; point += point is > 0xFFF0 and < 0x10410 or > 0x1F5F0 and < 0x1F610 ? 1 : 61)
        {
            if (point is >= 0xD800 and <= 0xDFFF) continue;
            var text = char.ConvertFromUtf32(point);
            Assert.Equal(set.Contains(point), inside.IsMatch(text));
            Assert.Equal(!set.Contains(point), outside.IsMatch(text));
        }
    }

    private static System.Text.RegularExpressions.Regex EcmaPatternOf(CodePointSet set) => new($"\\A{set.ToPattern()}\\z");
}
