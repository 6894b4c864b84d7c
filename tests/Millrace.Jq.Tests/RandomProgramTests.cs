using System.Text;

namespace Millrace.Jq.Tests;

/// <summary>Programs put together at random, from a fixed seed: whatever they do, they do it within the contract.</summary>
public class RandomProgramTests
{
    private static readonly string[] Leaves =
    [
        ".", "..", ".a", ".b?", ".[0]", ".[]", ".[]?", ".[1:]", ".[:-1]?", "1", "0", "-1", "1.5", "1e300", "\"a\"", "\"aXb\"", "null", "true", "false",
        "[]", "{}", "[1,2,3]", "{\"a\":1,\"b\":[2]}", "$x", "empty", "error", "nan", "infinite", "length", "keys", "add", "any", "tojson", "fromjson",
        "tostring", "tonumber", "type", "sort", "unique", "reverse", "min", "max", "flatten", "range(3)", "paths", "to_entries", "from_entries", "not",
        "explode", "implode", "ascii_upcase", "@base64", "@base64d", "@csv", "@sh", "@uri", "@urid", "@html", "@json", "recurse", "env", "now", "todate", "fromdate",
        "gmtime", "mktime", "tostream", "transpose", "combinations", "walk(.)", "first", "last", "abs", "floor", "sqrt", "significand", "trim", "input", "builtins",
        "@text \"<\\(.)>\"", "$__loc__", "splits(\"a\")", "ascii", "toarray", "getpath([\"a\",0])", "halt", "debug", "f", "g(.)", "break $l", "limit(2; .[]?)",
    ];

    private static readonly string[] Shapes =
    [
        "(@ | @)", "(@, @)", "(@ + @)", "(@ - @)", "(@ * @)", "(@ / @)", "(@ % @)", "(@ == @)", "(@ < @)", "(@ and @)", "(@ or @)", "(@ // @)", "(-@)",
        "[@]", "{a: @}", "{(@): @}", "{b: @, c: @}", "(try @ catch @)", "(@)?", "if @ then @ else @ end", "(@ as $x | @)", "(@ as [$x, $y] | @)",
        "(@ as {a: $x} | @)", "(@ as [$x] ?// {a: $x} ?// $x | @)", "reduce @ as $x (@; @)", "foreach @ as $x (@; @; @)", "(label $l | @)", "(@ |= @)", "(@ = @)",
        "(@ += @)", "(@ //= @)", "path(@)", "del(@)", "first(@)", "last(@)", "limit(3; @)", "skip(1; @)", "isempty(@)", "any(@; @)", "all(@; @)", "map(@)",
        "select(@)", "sort_by(@)", "group_by(@)", "unique_by(@)", "min_by(@)", "with_entries(@)", "to_entries[@]?", "@[@]", "@[@:@]", "recurse(@; @)", "until(@; @)",
        "while(@; @)", "walk(@)", "range(@; @)", "range(@; @; @)", "setpath(@; @)", "getpath(@)", "delpaths(@)", "has(@)", "contains(@)", "indices(@)",
        "split(@)", "join(@)", "ltrimstr(@)", "test(@)", "[match(@; \"g\")]", "sub(@; @)", "gsub(@; @)", "strftime(@)", "strptime(@)", "INDEX(@; @)", "IN(@)",
        "(def f: @; @)", "(def g(h): @; @)", "\"<\\(@)>\"", "@base32 \"\\(@)\"", "pick(@)", "add(@)", "bsearch(@)", "error(@)", "tojson", "fromstream(@)", "truncate_stream(@)",
        "pow(@; @)", "ldexp(@; @)", "splits(@)", "env.a", "input_line_number", "getpath(@) |= @", "paths(@)", "combinations(@)", "flatten(@)", "nth(@; @)",
    ];

    private static readonly string[] Inputs = ["null", "3", "\"aXb\"", "[1,[2,{\"a\":[3]}],\"x\"]", "{\"a\":{\"b\":[1,2]},\"b\":\"t\"}", "[[1,2],[3,4]]"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_random_program_ends_as_the_contract_says(int seed)
    {
        var random = new Random(seed);
        var options = Run.Limited(steps: 20_000, depth: 200, bytes: 1 << 20);
        var ran = 0;
        for (var i = 0; i < 3_000; i++)
        {
            var program = Grow(random, 4);
            try
            {
                var filter = JqProgram.Compile("1 as $x | def f: 2; def g(h): h; label $l | " + program);
                var input = JsonText.Parse(Inputs[random.Next(Inputs.Length)]);
                foreach (var output in filter.Evaluate(input, default, options)) Assert.False(output.IsSignal, program);
                filter.First(input, default, options);
                ran++;
            }
            catch (Exception e) when (e is JqCompileException or JqException or JqLimitException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"{program} fails with {e}");
            }
        }
        Assert.True(ran > 100, $"Only {ran} programs ran to their end.");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public void First_is_the_first_of_all_outputs(int seed)
    {
        var random = new Random(seed);
        var options = Run.Limited(steps: 20_000, depth: 200, bytes: 1 << 20);
        for (var i = 0; i < 2_000; i++)
        {
            var program = Grow(random, 3);
            JqProgram filter;
            try
            {
                filter = JqProgram.Compile("1 as $x | def f: 2; def g(h): h; label $l | " + program);
            }
            catch (JqCompileException)
            {
                continue;
            }
            var input = JsonText.Parse(Inputs[random.Next(Inputs.Length)]);
            Assert.Equal(Ending(() => filter.Evaluate(input, default, options).FirstOrDefault()), Ending(() => filter.First(input, default, options)));
        }
    }

    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    public void Random_text_is_compiled_or_refused(int seed)
    {
        var random = new Random(seed);
        string[] pieces = ["def", "f", ":", ";", "(", ")", "[", "]", "{", "}", ".", "..", ".a", "$x", "as", "|", ",", "//", "?//", "?", "\"", "\\(", "if", "then", "else", "elif", "end", "reduce", "foreach", "try", "catch", "label", "break", "@json", "1", "-", "==", "|=", "#", "\n", "\\", "%", "é", "\0", "and", "import", "__loc__", "$__loc__", "::"];
        for (var i = 0; i < 5_000; i++)
        {
            var text = new StringBuilder();
            for (var n = random.Next(12); n >= 0; n--) text.Append(pieces[random.Next(pieces.Length)]).Append(random.Next(3) == 0 ? "" : " ");
            try
            {
                JqProgram.Compile(text.ToString());
            }
            catch (JqCompileException e)
            {
                Assert.True(e.Line >= 1 && e.Column >= 1, text.ToString());
            }
        }
    }

    private static string Ending(Func<Json> run)
    {
        try
        {
            return run().ToString();
        }
        catch (JqException e)
        {
            return $"error {e.Value}";
        }
        catch (JqLimitException)
        {
            // One may be stopped a few steps before the other.
            return "limit";
        }
    }

    private static string Grow(Random random, int depth)
    {
        if (depth == 0 || random.Next(5) == 0) return Leaves[random.Next(Leaves.Length)];
        var shape = Shapes[random.Next(Shapes.Length)];
        var text = new StringBuilder();
        for (var i = 0; i < shape.Length; i++)
        {
            if (shape[i] == '@' && (i + 1 == shape.Length || !char.IsAsciiLetter(shape[i + 1]))) text.Append(Grow(random, depth - 1));
            else text.Append(shape[i]);
        }
        return text.ToString();
    }
}
