using Millrace.Storage.Tests.Child;

return args is ["child", var path, var checkpointPages]
    ? await WritingChild.RunAsync(path, int.Parse(checkpointPages, System.Globalization.CultureInfo.InvariantCulture))
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
