using Millrace.Engine.Execution;
using Millrace.Tests.Databases;

namespace Millrace.Engine.Tests.Support;

/// <summary>A class of tests that runs on any database.</summary>
public abstract class EngineSuite(TestDatabases databases)
{
    internal Task<TestEngine> OpenAsync(EngineSettings? settings = null) => TestEngine.OpenAsync(databases, settings);
}
