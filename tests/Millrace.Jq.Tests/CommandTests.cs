using System.Text;
using Millrace.Cli.Jq;

namespace Millrace.Jq.Tests;

public class CommandTests
{
    private static (int Code, string Out, string Error) Jq(string stdin, params string[] args)
    {
        using var stdout = new MemoryStream();
        using var stderr = new MemoryStream();
        var code = JqCommand.Run(args, new MemoryStream(Encoding.UTF8.GetBytes(stdin)), stdout, stderr);
        return (code, Encoding.UTF8.GetString(stdout.ToArray()), Encoding.UTF8.GetString(stderr.ToArray()));
    }

    private static string Out(string stdin, params string[] args)
    {
        var (code, text, error) = Jq(stdin, args);
        Assert.Equal("", error);
        Assert.Equal(0, code);
        return text;
    }

    private static string TemporaryFile(string text)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public void Outputs_are_indented_unless_told_otherwise()
    {
        Assert.Equal("{\n  \"b\": [\n    1\n  ],\n  \"a\": {}\n}\n", Out("{\"b\":[1],\"a\":{}}", "."));
        Assert.Equal("{\"b\":[1],\"a\":{}}\n", Out("{\"b\":[1],\"a\":{}}", "-c", "."));
        Assert.Equal("{\"a\":{},\"b\":[1]}\n", Out("{\"b\":[1],\"a\":{}}", "-cS", "."));
        Assert.Equal("[\n\t1\n]\n", Out("[1]", "--tab", "."));
        Assert.Equal("[\n    1\n]\n", Out("[1]", "--indent", "4", "."));
        Assert.Equal("[1]\n", Out("[1]", "--indent", "0", "."));
    }

    [Fact]
    public void Strings_are_written_raw_joined_or_in_ascii()
    {
        Assert.Equal("\"é😀\"\n", Out("\"é😀\"", "."));
        Assert.Equal("é😀\n", Out("\"é😀\"", "-r", "."));
        Assert.Equal("\"\\u00e9\\ud83d\\ude00\"\n", Out("\"é😀\"", "-a", "."));
        Assert.Equal("\\u00e9\n", Out("\"é\"", "-ra", "."));
        Assert.Equal("ab1", Out("\"a\" \"b\" 1", "-j", "."));
        Assert.Equal("a\0b\0", Out("\"a\" \"b\"", "--raw-output0", "."));
    }

    [Fact]
    public void Inputs_are_values_lines_or_all_at_once()
    {
        Assert.Equal("1\n2\n3\n", Out("1 2\n3", "."));
        Assert.Equal("", Out("", "."));
        Assert.Equal("null\n", Out("", "-n", "."));
        Assert.Equal("[1,2,3]\n", Out("1 2 3", "-cs", "."));
        Assert.Equal("[]\n", Out("", "-cs", "."));
        Assert.Equal("\"a\"\n\"b c\"\n", Out("a\nb c\n", "-R", "."));
        Assert.Equal("\"a\\nb\\n\"\n", Out("a\nb\n", "-Rs", "."));
        Assert.Equal("[1,[2,3]]\n", Out("1 2 3", "-c", "[., [inputs]]"));
        Assert.Equal("[1,2]\n[3,4]\n", Out("1 2 3 4", "-c", "[., input]"));
        Assert.Equal("6\n", Out("1 2 3", "-n", "reduce inputs as $x (0; . + $x)"));
    }

    [Fact]
    public void Files_are_read_in_turn()
    {
        string one = TemporaryFile("1 2"), two = TemporaryFile("{\"a\":3}"), filter = TemporaryFile("# a filter\n.a? // .");
        try
        {
            Assert.Equal("1\n2\n3\n", Out("", "-f", filter, one, two));
            Assert.Equal("[1,2,{\"a\":3}]\n", Out("", "-cs", ".", one, two));
            Assert.Equal($"\"{two}\"\n", Out("", "input_filename", two));
            Assert.Equal("[[1,2],\"1 2\"]\n", Out("", "-nc", "--slurpfile", "s", one, "--rawfile", "r", one, "[$s, $r]"));
            Assert.Equal(2, Jq("", ".", one + ".absent").Code);
        }
        finally
        {
            foreach (var file in (string[])[one, two, filter]) File.Delete(file);
        }
    }

    [Fact]
    public void Variables_come_from_the_command_line()
    {
        Assert.Equal("[\"1\",{\"x\":2}]\n", Out("", "-nc", "--arg", "a", "1", "--argjson", "b", "{\"x\":2}", "[$a, $b]"));
        Assert.Equal("{\"positional\":[\"x\",\"2\"],\"named\":{\"a\":\"1\"}}\n", Out("", "-nc", "--arg", "a", "1", "$ARGS", "--args", "x", "2"));
        Assert.Equal("[[\"x\"],[1,null]]\n", Out("", "-nc", "[$__a, $ARGS.positional]", "--argjson", "__a", "[\"x\"]", "--jsonargs", "1", "null"));
        Assert.Equal(2, Jq("", "-n", "--argjson", "a", "{", ".").Code);
        Assert.Equal(2, Jq("", "-n", ".", "--arg", "a").Code);
    }

    [Theory]
    [InlineData("1", 0, "-e", ".")]
    [InlineData("false", 1, "-e", ".")]
    [InlineData("1 null", 1, "-e", ".")]
    [InlineData("null 1", 0, "-e", ".")]
    [InlineData("1", 4, "-e", "empty")]
    [InlineData("false", 0, ".")]
    [InlineData("1", 5, ".a")]
    [InlineData("1", 5, "-e", "error(\"x\")")]
    [InlineData("1", 5, "def f: 1 + f; f")]
    [InlineData("1", 3, ".a |")]
    [InlineData("1", 3, "nosuch")]
    [InlineData("{", 2, ".")]
    [InlineData("1", 2, "--nosuch", ".")]
    [InlineData("1", 2, "-Z", ".")]
    [InlineData("1", 2, "--indent", "9", ".")]
    [InlineData("1", 2)]
    [InlineData("1", 0, "halt")]
    [InlineData("1", 5, "halt_error")]
    [InlineData("1", 7, "halt_error(7)")]
    public void The_exit_code_says_how_it_went(string stdin, int code, params string[] args) => Assert.Equal(code, Jq(stdin, args).Code);

    [Fact]
    public void An_error_of_one_input_does_not_keep_the_others_from_running()
    {
        var (code, text, error) = Jq("{\"a\":1} 2 {\"a\":3}", ".a");
        Assert.Equal((5, "1\n3\n", "jq: error (at <stdin>): Cannot index number with string (\"a\")\n"), (code, text, error));
        Assert.Equal("jq: error (at <stdin>) (not a string): {\"a\":1}\n", Jq("1", "error({a: 1})").Error);
    }

    [Fact]
    public void Values_before_broken_text_are_still_run()
    {
        var (code, text, error) = Jq("1 [2] {", "-c", ".");
        Assert.Equal((2, "1\n[2]\n"), (code, text));
        Assert.StartsWith("jq: error (at <stdin>): ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_filter_that_does_not_compile_is_shown_with_the_place_marked() =>
        Assert.Equal("jq: error: foo/0 is not defined at <top-level>, line 1, column 5:\n    1 | foo\n        ^^^\njq: 1 compile error\n", Jq("1", "1 | foo").Error);

    [Fact]
    public void Debug_stderr_and_halt_error_write_to_standard_error()
    {
        Assert.Equal("[\"DEBUG:\",1]\n", Jq("1", "debug").Error);
        Assert.Equal("{\"a\":1}", Jq("1", "{a: .} | stderr").Error);
        Assert.Equal("bye\n", Jq("1", "\"bye\\n\" | halt_error").Error);
        Assert.Equal("{\"a\":1}\n", Jq("1", "{a: .} | halt_error").Error);
    }

    [Fact]
    public void Limits_hold_and_can_be_raised()
    {
        Assert.Contains("jq.limit.steps", Jq("", "-n", "--max-steps", "1000", "[range(10000)] | length").Error, StringComparison.Ordinal);
        Assert.Equal("10000\n", Out("", "-n", "--max-steps", "100000", "[range(10000)] | length"));
        Assert.Contains("jq.limit.depth", Jq("20000", "def f: if . == 0 then 0 else 1 + (. - 1 | f) end; f").Error, StringComparison.Ordinal);
        Assert.Equal("20000\n", Out("20000", "--max-depth", "30000", "def f: if . == 0 then 0 else 1 + (. - 1 | f) end; f"));
    }

    [Fact]
    public void Test_files_are_run_as_jq_runs_them()
    {
        var file = TemporaryFile("""
            # a comment
            . + 1
            1
            2

            .[]
            [1,2]
            1
            2

            .[]
            [1,2]
            1
            3

            %%FAIL
            {(0):1}
            jq: error: Cannot use number (0) as object key at <top-level>, line 1, column 3:
                {(0):1}
                  ^

            import "a" as a; a::b
            null
            1
            """);
        try
        {
            var (code, text, _) = Jq("", "--run-tests", file);
            Assert.Equal(1, code);
            Assert.EndsWith("3 of 5 tests passed (0 malformed, 1 skipped)\n", text, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Help_and_version_are_shown()
    {
        Assert.StartsWith("Usage:", Out("", "-h"), StringComparison.Ordinal);
        Assert.StartsWith("jq-1.8", Out("", "--version"), StringComparison.Ordinal);
    }
}
