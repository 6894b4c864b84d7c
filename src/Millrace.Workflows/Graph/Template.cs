using System.Text;
using Millrace.Jq;

namespace Millrace.Workflows.Graph;

/// <summary>
/// A JSON value of the document in which strings may hold runtime expressions: <c>${ .a }</c> alone gives the value
/// itself, text around it (<c>Hello ${ .name }</c>) gives a string.
/// </summary>
public abstract class Template
{
    private static readonly Template NullTemplate = new Constant(Json.Null);

    /// <summary>The value when no part of it is an expression.</summary>
    public virtual Json? ConstantValue => null;

    /// <summary>Names of the variables that any part reads.</summary>
    public virtual IEnumerable<string> Variables => [];

    /// <exception cref="JqException">A filter raised an error.</exception>
    /// <exception cref="JqLimitException">A limit was reached.</exception>
    public abstract Json Evaluate(Json input, IVariables variables);

    public static Template Of(Json constant) => constant.IsNull ? NullTemplate : new Constant(constant);

    public static Template Of(Expression expression) => new Whole(expression);

    /// <summary>Compiles the expressions inside <paramref name="value"/>.</summary>
    /// <param name="pointer">JSON pointer of the value in the document.</param>
    /// <param name="failed">Called with the pointer of each expression that does not compile; such a part becomes null.</param>
    public static Template Compile(Json value, IReadOnlyList<string> scope, string pointer, Action<string, JqCompileException> failed) =>
        Compile(value, pointer, new StrictTexts(scope, failed));

    internal static Template Compile(Json value, string pointer, ITexts texts)
    {
        switch (value.Kind)
        {
            case JsonKind.String:
                return CompileText(value.AsString(), pointer, texts);
            case JsonKind.Array:
            {
                var items = new Template[value.AsArray().Count];
                for (var i = 0; i < items.Length; i++) items[i] = Compile(value[i], Pointer.Of(pointer, i), texts);
                return System.Array.TrueForAll(items, i => i.ConstantValue is not null) ? Of(value) : new Items(items);
            }
            case JsonKind.Object:
            {
                var members = new List<KeyValuePair<string, Template>>();
                foreach (var (key, member) in value.AsObject().Members)
                    members.Add(new(key, Compile(member, Pointer.Of(pointer, key), texts)));
                return members.TrueForAll(m => m.Value.ConstantValue is not null) ? Of(value) : new Members([.. members]);
            }
            default:
                return Of(value);
        }
    }

    /// <summary>Compiles what strings of a template hold; one for each way in which documents are read.</summary>
    internal interface ITexts
    {
        /// <returns>Null when the expression does not compile, which has been reported.</returns>
        Expression? Compile(string text, Range range, string pointer);

        /// <summary>Reports an expression that is not closed.</summary>
        void Unclosed(string text, int start, string pointer);

        /// <summary>In loose evaluation a string without <c>${ }</c> may be an expression all the same; null when it is none.</summary>
        Expression? Bare(string text, string pointer);
    }

    /// <summary>Index of the brace that closes the one opened just before <paramref name="from"/>, skipping jq strings; -1 when none does.</summary>
    internal static int ClosingBrace(ReadOnlySpan<char> text, int from)
    {
        // Each entry is a construct to return to: '{' a brace, '(' a parenthesis, '"' a string.
        var open = new Stack<char>();
        for (var i = from; i < text.Length; i++)
        {
            var c = text[i];
            if (open.TryPeek(out var top) && top == '"')
            {
                if (c == '"') open.Pop();
                else if (c == '\\' && ++i < text.Length && text[i] == '(') open.Push('(');
                continue;
            }
            switch (c)
            {
                case '"': open.Push('"'); break;
                case '(' or '{': open.Push(c); break;
                case ')' when top == '(': open.Pop(); break;
                case '}' when open.Count == 0: return i;
                case '}' when top == '{': open.Pop(); break;
            }
        }
        return -1;
    }

    private static Template CompileText(string text, string pointer, ITexts texts)
    {
        if (!text.Contains("${", StringComparison.Ordinal))
            return texts.Bare(text, pointer) is { } bare ? new Loose(bare, text) : Of(text);
        if (Expression.IsEnclosed(text)) return texts.Compile(text, .., pointer) is { } whole ? new Whole(whole) : NullTemplate;
        var parts = new List<Template>();
        for (var at = 0; at < text.Length;)
        {
            var start = text.IndexOf("${", at, StringComparison.Ordinal);
            if (start != at) parts.Add(Of(start < 0 ? text[at..] : text[at..start]));
            if (start < 0) break;
            var end = ClosingBrace(text, start + 2);
            if (end < 0)
            {
                texts.Unclosed(text, start, pointer);
                return NullTemplate;
            }
            if (texts.Compile(text, start..(end + 1), pointer) is { } part) parts.Add(new Whole(part));
            at = end + 1;
        }
        return new Text([.. parts]);
    }

    private sealed class StrictTexts(IReadOnlyList<string> scope, Action<string, JqCompileException> failed) : ITexts
    {
        public Expression? Compile(string text, Range range, string pointer)
        {
            try
            {
                return Expression.Compile(text, range, scope, pointer);
            }
            catch (JqCompileException e)
            {
                failed(pointer, e);
                return null;
            }
        }

        public void Unclosed(string text, int start, string pointer) =>
            failed(pointer, new JqCompileException("The expression opened by '${' is not closed.", text.AsSpan(0, start).Count('\n') + 1, start - text.LastIndexOf('\n', start)));

        public Expression? Bare(string text, string pointer) => null;
    }

    internal sealed class Constant(Json value) : Template
    {
        public override Json? ConstantValue => value;
        public override Json Evaluate(Json input, IVariables variables) => value;
    }

    internal sealed class Whole(Expression expression) : Template
    {
        public Expression Expression => expression;
        public override IEnumerable<string> Variables => expression.Variables;
        public override Json Evaluate(Json input, IVariables variables) => expression.Evaluate(input, variables);
    }

    /// <summary>An expression of a loosely evaluated document: where evaluation fails, the text itself (dsl-reference.md, Evaluate).</summary>
    internal sealed class Loose(Expression expression, string text) : Template
    {
        public override IEnumerable<string> Variables => expression.Variables;

        public override Json Evaluate(Json input, IVariables variables)
        {
            try
            {
                return expression.Evaluate(input, variables);
            }
            catch (JqException)
            {
                return text;
            }
        }
    }

    internal sealed class Text(Template[] parts) : Template
    {
        public IReadOnlyList<Template> Parts => parts;
        public override IEnumerable<string> Variables => parts.SelectMany(p => p.Variables);

        public override Json Evaluate(Json input, IVariables variables)
        {
            var text = new StringBuilder();
            foreach (var part in parts)
            {
                var value = part.Evaluate(input, variables);
                text.Append(value.StringOrNull ?? value.ToString());
            }
            return text.ToString();
        }
    }

    internal sealed class Items(Template[] items) : Template
    {
        public IReadOnlyList<Template> All => items;
        public override IEnumerable<string> Variables => items.SelectMany(i => i.Variables);

        public override Json Evaluate(Json input, IVariables variables)
        {
            var values = new Json[items.Length];
            for (var i = 0; i < items.Length; i++) values[i] = items[i].Evaluate(input, variables);
            return JsonArray.Of(values);
        }
    }

    internal sealed class Members(KeyValuePair<string, Template>[] members) : Template
    {
        public IReadOnlyList<KeyValuePair<string, Template>> All => members;
        public override IEnumerable<string> Variables => members.SelectMany(m => m.Value.Variables);

        public override Json Evaluate(Json input, IVariables variables)
        {
            var built = new JsonObject.Builder(members.Length);
            foreach (var (key, member) in members) built.Set(key, member.Evaluate(input, variables));
            return built.Build();
        }
    }
}
